"""torch.compile of the denoiser."""

from accsearch.methods.cell import EVERY_FAMILY, Cell
from accsearch.methods.info import MethodInfo, Nesting, ParameterInfo
from accsearch.task import Methods


def _refusal(cell: Cell, _methods: Methods) -> str | None:
    return "compile needs methods.implementation: native" if cell.implementation == "package" else None


COMPILE = MethodInfo(
    name="compile",
    parameters={
        "mode": ParameterInfo(
            type=str,
            choices=("default", "reduce-overhead"),
            default="default",
            searched=("default", "reduce-overhead"),
            short="-",
            doc="torch.compile's mode; reduce-overhead replays CUDA graphs",
        ),
    },
    exact=True,
    supports=EVERY_FAMILY,
    nesting=Nesting.COMPILER,
    refusal=_refusal,
    paper="Ansel et al.: PyTorch 2, ASPLOS 2024, doi 10.1145/3620665.3640366",
    doc="The denoiser compiled; the time to compile is reported and not counted.",
)
