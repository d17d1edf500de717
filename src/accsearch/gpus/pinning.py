"""The environment variables by which a process is given one GPU, or none, and finds out which."""

import os

VISIBLE = "CUDA_VISIBLE_DEVICES"
ORDER = "CUDA_DEVICE_ORDER"
TOLERATED = "ACCSEARCH_TOLERATED"
"""Names the processes that were on the idle GPU when a scheduler gave it; with it a search gives the GPU back to
others."""


def pinned(gpu: str | None) -> dict[str, str]:
    """Return the variables for a process that is to see exactly the GPU with this UUID, or no GPU."""
    return {VISIBLE: gpu or "", ORDER: "PCI_BUS_ID"}


def visible_gpus() -> str | None:
    """Return what this process was given, as CUDA reads it; None where nothing is said."""
    return os.environ.get(VISIBLE)


def pinned_gpu() -> str | None:
    """Return the UUID of the one GPU that this process is pinned to, None if it is pinned to none."""
    given = visible_gpus() or ""
    return given if given.startswith(("GPU-", "MIG-")) else None
