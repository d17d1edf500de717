"""What follows from a failure: one table, and the rule that applies it."""

import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from accsearch.checkpoint.markers import Failed
from accsearch.task import FailureReason

SHORT = 60.0
"""Seconds; an attempt that lasted longer got past its start."""

UNCOUNTED_LIMIT = 10
"""Attempts of one task in one run that faults of the infrastructure may cost before it counts as failed."""


class BatchChange(Enum):
    """What is different in the next attempt."""

    NOTHING = auto()
    HALF_THE_BATCH = auto()


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a failed task is tried again, and whether that uses up one of its attempts."""

    retry: bool
    counted: bool
    change: BatchChange = BatchChange.NOTHING


POLICY: Mapping[FailureReason, Decision] = {
    # A smaller batch in a new process, on the emptiest GPU; at batch 1 the attempt counts like any other.
    FailureReason.OOM: Decision(retry=True, counted=True, change=BatchChange.HALF_THE_BATCH),
    FailureReason.ERROR: Decision(retry=True, counted=True),
    FailureReason.INCOMPLETE: Decision(retry=True, counted=True),
    FailureReason.TIMEOUT: Decision(retry=True, counted=True),
    FailureReason.HANG: Decision(retry=True, counted=True),
    FailureReason.VALIDATION: Decision(retry=True, counted=True),
    FailureReason.KILLED: Decision(retry=True, counted=True),
    # The same configuration would fail in the same way.
    FailureReason.CONFIG: Decision(retry=False, counted=True),
    # Not the task's fault.
    FailureReason.LOST_GPU: Decision(retry=True, counted=False),
}


@dataclass(frozen=True, slots=True)
class Tries:
    """What a task has used up so far in this run."""

    counted: int = 0
    uncounted: int = 0
    batch_size: int | None = None


def next_try(reason: FailureReason, tries: Tries, *, max_attempts: int, on_oom: str) -> tuple[bool, Tries]:
    """Return whether to try again after a failure for `reason`, and what is used up then.

    `on_oom` is `halve_batch`, `same_batch` or `fail`. A batch that can still be halved bounds itself, so that
    an out-of-memory attempt then counts only at batch 1.
    """
    decision = POLICY[reason]
    batch = tries.batch_size
    if decision.change is BatchChange.HALF_THE_BATCH:
        if on_oom == "fail":
            decision = Decision(retry=False, counted=True)
        elif on_oom == "halve_batch" and batch is not None and batch > 1:
            return True, Tries(tries.counted, tries.uncounted, batch // 2)
    if not decision.counted:
        return put_back(tries)
    after = Tries(tries.counted + 1, tries.uncounted, batch)
    return decision.retry and after.counted < max_attempts, after


def put_back(tries: Tries, *, progressed: bool = False) -> tuple[bool, Tries]:
    """Return whether to try again, and what is used up then, after an attempt whose end is not the task's fault.

    One that `progressed` begins the count anew: a search may need many jobs of a cluster, cut off at their time limits.
    """
    after = Tries(tries.counted, 1 if progressed else tries.uncounted + 1, tries.batch_size)
    return after.uncounted < UNCOUNTED_LIMIT, after


_MAY_BE_THE_GPUS = frozenset(
    {FailureReason.ERROR, FailureReason.INCOMPLETE, FailureReason.VALIDATION, FailureReason.KILLED}
)
_CRASHES = frozenset({signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGABRT})
_KILLS = frozenset({signal.SIGKILL, signal.SIGTERM})
_SPEAKS_OF_GPU = re.compile(
    r"cuda|cudnn|cublas|cufft|nvrtc|nccl|nvml|nvidia|\bGPU\b|\bECC\b|\bXid\b", re.IGNORECASE
)
_PROGRAMS_OWN = re.compile(r"device-side assert", re.IGNORECASE)


_EXCEPTION = re.compile(
    r"^(?:\w+\.)*(?!RuntimeError|OSError|SystemError|InternalError|AcceleratorError)\w*(?:Error|Exception)\b"
)


class Doubt(Enum):
    """Which suspect failures of an attempt another GPU is to decide about."""

    NONE = auto()
    UNEXPLAINED = auto()
    """Those that no exception of the program's own explains."""
    ANY = auto()

    def covers(self, failed: Failed) -> bool:
        """Return whether a failure is not held against its task for now."""
        if self is Doubt.NONE or not is_suspect(failed):
            return False
        return self is Doubt.ANY or speaks_of_gpu(failed) or not _EXCEPTION.search(failed.message)


def is_suspect(failed: Failed) -> bool:
    """Return whether a failure may be its GPU's fault: the worker says so, or it failed at its start.

    What a configuration, a lack of memory, a time limit or somebody's SIGKILL explains is not.
    """
    if failed.reason is FailureReason.LOST_GPU:
        return True
    return (
        failed.reason in _MAY_BE_THE_GPUS
        and (failed.seconds or 0.0) <= SHORT
        and _signal_of(failed) not in _KILLS
    )


def speaks_of_gpu(failed: Failed) -> bool:
    """Return whether a suspect failure looks like a GPU's: a crash, or an error of CUDA or the driver."""
    if failed.reason is FailureReason.LOST_GPU or _signal_of(failed) in _CRASHES:
        return True
    return bool(_SPEAKS_OF_GPU.search(failed.message)) and not _PROGRAMS_OWN.search(failed.message)


def _signal_of(failed: Failed) -> int | None:
    """Return the signal that ended a worker; a shell gives that of its command as an exit code."""
    code = failed.exit_code or 0
    return failed.signal if failed.signal is not None else code - 128 if code > 128 else None


class Streak:
    """Counts tasks in a row that fail alike right after their start: a broken set-up, not broken tasks."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.gpus: set[str] = set()
        """Those on which they failed."""
        self._tasks: set[str] = set()
        self._what: tuple[FailureReason, str] | None = None

    def success(self) -> None:
        self._tasks.clear()
        self.gpus.clear()

    def failure(
        self, task: str, reason: FailureReason, message: str, seconds: float, gpu: str | None = None
    ) -> bool:
        """Count a failure; return whether the run is to stop, unless the GPUs are at fault."""
        what = (reason, message)
        if what != self._what or seconds > SHORT:
            self.success()
            self._what = what
        if seconds <= SHORT:
            self._tasks.add(task)
            self.gpus |= {gpu} if gpu is not None else set()
        return len(self._tasks) >= self.limit
