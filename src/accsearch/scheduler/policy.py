"""What follows from a failure: one table, and the rule that applies it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from accsearch.task import FailureReason

UNCOUNTED_LIMIT = 10
"""Attempts of one task in one run that faults of the infrastructure may cost before it counts as failed."""


class Change(Enum):
    """What is different in the next attempt."""

    NOTHING = auto()
    HALF_THE_BATCH = auto()


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a failed task is tried again, and whether that uses up one of its attempts."""

    retry: bool
    counted: bool
    change: Change = Change.NOTHING


POLICY: Mapping[FailureReason, Decision] = {
    # A smaller batch in a new process, on the emptiest GPU; at batch 1 the attempt counts like any other.
    FailureReason.OOM: Decision(retry=True, counted=True, change=Change.HALF_THE_BATCH),
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
    if decision.change is Change.HALF_THE_BATCH:
        if on_oom == "fail":
            decision = Decision(retry=False, counted=True)
        elif on_oom == "halve_batch" and batch is not None and batch > 1:
            return True, Tries(tries.counted, tries.uncounted, batch // 2)
    if not decision.counted:
        return put_back(tries)
    after = Tries(tries.counted + 1, tries.uncounted, batch)
    return decision.retry and after.counted < max_attempts, after


def put_back(tries: Tries) -> tuple[bool, Tries]:
    """Return the same for an attempt that ended through no fault of the task's."""
    after = Tries(tries.counted, tries.uncounted + 1, tries.batch_size)
    return after.uncounted < UNCOUNTED_LIMIT, after


class Streak:
    """Counts tasks in a row that fail alike right after their start: a broken set-up, not broken tasks."""

    SHORT = 60.0
    """Seconds; an attempt that lasted longer got past its start."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._tasks: set[str] = set()
        self._what: tuple[FailureReason, str] | None = None

    def success(self) -> None:
        self._tasks.clear()

    def failure(self, task: str, reason: FailureReason, message: str, seconds: float) -> bool:
        """Note a failure; return whether the run had better stop."""
        what = (reason, message)
        if what != self._what or seconds > self.SHORT:
            self._tasks.clear()
            self._what = what
        if seconds <= self.SHORT:
            self._tasks.add(task)
        return len(self._tasks) >= self.limit
