"""Give the GPU back where another process is on it, before the first trial is measured.

The driver may count processes as the host does, which a container does not share. So who is on the GPU before
this process starts CUDA is another one for certain; afterwards this process is one of the newcomers, by its
own number or, where that is not listed, by there being one.
"""

import os
import random
import time
from collections.abc import Callable

from accsearch.errors import NoGpuError
from accsearch.gpus.device import GpuLost
from accsearch.gpus.neighbours import first_come, with_ancestor
from accsearch.gpus.nvml import open_nvml
from accsearch.gpus.pinning import TOLERATED, visible_gpus
from accsearch.task import WorkerExit
from accsearch.worker.fatal_errors import TaskEnded

PATIENCE = 30.0
"""Seconds within which a process that was started after this one must have left."""
SHORTEST, LONGEST = 5.0, 25.0
"""The same where it is not known who was first: drawn by lot, so that of two the first to give up leaves."""
PAUSE = 0.5


def leave_if_taken_before_cuda() -> None:
    """Raise TaskEnded where another process computes on the GPU that this one has not touched yet."""
    tolerated = _tolerated()
    if tolerated is not None and (others := _listed() - tolerated):
        raise _taken(others)


def leave_if_taken_before_first_trial(
    before: frozenset[int],
    listed: Callable[[], frozenset[int]] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Raise TaskEnded where another process has come to the GPU since, and stays.

    `before` are those that were on a GPU before CUDA was started here. Whoever was started first stays.
    """
    tolerated = _tolerated()
    if tolerated is None:
        return
    look = listed or _listed
    patience: float | None = None
    waited = 0.0
    while others := _others(look() - tolerated, before):
        if patience is None:
            patience = _patience(others)
        if waited >= patience:
            raise _taken(others)
        sleep(PAUSE)
        waited += PAUSE


def own_processes(listed: frozenset[int], before: frozenset[int]) -> frozenset[int]:
    """Return which of the processes on this worker's GPU are its own.

    Where it is not listed under its own number, as in some containers, that is whoever has come by the time that
    it holds the GPU; `before` are those that were there before.
    """
    own = os.getpid()
    return frozenset(with_ancestor(listed, own)) if own in listed else listed - before


def _others(newcomers: frozenset[int], before: frozenset[int]) -> frozenset[int]:
    """Return the newcomers that are not this process; all, unnamed, where one of several must be."""
    own = os.getpid()
    if own in newcomers:
        return newcomers - with_ancestor(newcomers, own)
    newcomers -= before
    return newcomers if len(newcomers) > 1 else frozenset()


def _patience(others: frozenset[int]) -> float:
    own = os.getpid()
    if first_come([own], others) is not None:
        return 0.0
    known = first_come(others, [own]) is not None
    return PATIENCE if known else random.uniform(SHORTEST, LONGEST)


def _taken(others: frozenset[int]) -> TaskEnded:
    pids = ", ".join(map(str, sorted(others)))
    return TaskEnded(WorkerExit.GPU_TAKEN, f"another process is on the GPU (pid {pids}): given back to it")


def _tolerated() -> frozenset[int] | None:
    text = os.environ.get(TOLERATED)
    return None if text is None else frozenset(int(pid) for pid in text.split(",") if pid)


def _listed() -> frozenset[int]:
    gpu = visible_gpus()
    try:
        with open_nvml() as nvml:
            return nvml.read(gpu).compute_pids() if gpu else frozenset()
    except (NoGpuError, GpuLost):
        return frozenset()
