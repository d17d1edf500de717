"""How much of the time the GPU computes, from the profiler's record of one batch."""

from collections.abc import Iterable

import torch

from accsearch.worker.machine import Machine
from accsearch.worker.stopwatch import Run

HOST_BOUND = 0.9
"""Under this share of busy time the host, not the GPU, sets the pace."""


def records_kernels(machine: Machine) -> bool:
    """Say whether the profiler sees what runs on the machine's device."""
    return machine.is_cuda


def kernel_seconds(run: Run, machine: Machine) -> float:
    """Run once under the profiler and return the seconds in which at least one kernel or copy ran.

    The profiler slows the host, not the kernels, so compare with the wall time of a run without it. CUPTI, by which it
    listens, stays attached to the process and makes later launches slower, so time nothing afterwards. Raises
    RuntimeError where no kernel was recorded.
    """
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profiler:
        with torch.inference_mode():
            run()
        machine.synchronize()
    # The recorded events themselves: to make Python's objects of them takes longer than the run.
    events = profiler.profiler.kineto_results.events()
    spans = (
        (event.start_ns(), event.start_ns() + event.duration_ns())
        for event in events
        if event.device_type() == torch._C._autograd.DeviceType.CUDA
    )
    if not (length := union_length(spans)):
        raise RuntimeError("the profiler recorded no kernel")
    return length / 1e9


def union_length(spans: Iterable[tuple[int, int]]) -> int:
    """Return how much of a line the spans (start, end) cover together."""
    total, reached = 0, None
    for start, end in sorted(spans):
        if reached is None or start > reached:
            total += end - start
            reached = end
        elif end > reached:
            total += end - reached
            reached = end
    return total
