"""Time each call of the denoiser inside a generation, and count the calls of its blocks."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from accsearch.worker.machine import Machine
from accsearch.worker.methods.layer_calls import counted


class CallTimes:
    """The calls of a denoiser; their seconds are known once the device has finished them."""

    def __init__(self) -> None:
        self._marks: list[tuple[Any, Any]] = []

    def seconds(self) -> tuple[float, ...]:
        """Return the seconds of each call so far."""
        return tuple(_between(start, end) for start, end in self._marks)

    def add(self, start: Any, end: Any) -> None:
        """Take in a call by two marks of `mark`."""
        self._marks.append((start, end))


@contextmanager
def timed_calls(denoiser: torch.nn.Module, machine: Machine) -> Iterator[CallTimes]:
    """Time each call of `denoiser` inside the context, on the device's own clock, which makes nothing wait for it."""
    times, starts = CallTimes(), list[Any]()

    def begins(*_: object) -> None:
        starts.append(_mark(machine))

    def ends(*_: object) -> None:
        times.add(starts.pop(), _mark(machine))

    hooks = [
        denoiser.register_forward_pre_hook(begins, prepend=True),
        denoiser.register_forward_hook(ends),
    ]
    try:
        yield times
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def counted_blocks(denoiser: torch.nn.Module) -> Iterator[Callable[[], int | None]]:
    """Count the calls of layers in the denoiser's blocks inside the context; None where it has no row of blocks."""
    with counted(denoiser) as counts:
        yield lambda: counts.rows or None


def denoiser_of(pipeline: Any) -> Any:
    """Return a pipeline's UNet or transformer."""
    return getattr(pipeline, "unet", None) or pipeline.transformer


def _mark(machine: Machine) -> Any:
    """Return the present moment, by the device's clock where it has one."""
    if not machine.is_cuda:
        return time.perf_counter()
    event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
    event.record()
    return event


def _between(start: Any, end: Any) -> float:
    if isinstance(start, float):
        return float(end - start)
    return float(start.elapsed_time(end)) / 1000
