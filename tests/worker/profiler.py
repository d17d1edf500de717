"""A stand-in for the profiler, which needs a GPU."""

from collections.abc import Callable, Sequence

import pytest
import torch

from accsearch.worker import batches, busy_shares, measurement, stopwatch
from accsearch.worker.machine import Machine

KERNEL_SECONDS = 1e-6


def profiling(patch: pytest.MonkeyPatch, failing: Sequence[int] = ()) -> list[str]:
    """Profile as on a GPU, by a stand-in for the profiler; return the list of `timed` and `profiled` runs, which grows.

    The stand-in runs the batch and says KERNEL_SECONDS; the profiles with the numbers `failing` raise.
    """
    runs: list[str] = []
    timed = stopwatch.timed

    def timing(machine: Machine, run: stopwatch.Run, *, counts: bool = True) -> tuple[torch.Tensor, float]:
        runs.append("timed")
        return timed(machine, run, counts=counts)

    def kernel_seconds(run: Callable[[], torch.Tensor], machine: Machine) -> float:
        runs.append("profiled")
        assert run().isfinite().all()
        if runs.count("profiled") - 1 in failing:
            raise RuntimeError("the profiler\nrecorded no kernel")
        return KERNEL_SECONDS

    for module in (stopwatch, batches):
        patch.setattr(module, "timed", timing)
    patch.setattr(busy_shares, "records_kernels", lambda machine: True)
    patch.setattr(measurement, "kernel_seconds", kernel_seconds)
    return runs
