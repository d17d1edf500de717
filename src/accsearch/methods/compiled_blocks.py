"""The rule of caches that are put on a denoiser's blocks or their attention, beside torch.compile."""

from accsearch.methods.cell import Cell
from accsearch.task import Methods


def needs_compiled_blocks(_cell: Cell, methods: Methods) -> str | None:
    """Refuse a cache round the blocks where the whole denoiser is compiled: its decisions would break the graph."""
    if methods.get("compile", {}).get("regions") == "denoiser":
        return "compile of the whole denoiser breaks at a cache round its blocks (compile.regions: blocks)"
    return None


def no_compile(_cell: Cell, methods: Methods) -> str | None:
    """Refuse a cache round attention where what holds it is compiled: each step would be compiled anew."""
    if "compile" in methods:
        return "a cache round attention inside of compiled code is compiled anew in each step"
    return None
