"""The shared nouns: task, trial, state and failure reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

MEASUREMENT_VERSION = 3
"""Raised by hand when the way of measuring changes, so that old results are not mixed with new ones."""

COMMAND_VERSION = 2
"""In the digests of command workers, whose results this program does not measure."""

SUCCESS = "Successfully completed"
"""How the line begins by which the log of a worker says that it succeeded."""

BASELINE = "baseline"
"""Id of the first trial of each task, the un-accelerated pipeline."""

Scalar = str | int | float | bool
Methods = Mapping[str, Mapping[str, Scalar]]


@dataclass(frozen=True, slots=True)
class Trial:
    """One acceleration configuration measured inside a task; `methods` is empty for the baseline."""

    id: str
    methods: Methods


@dataclass(frozen=True, slots=True)
class Task:
    """One cell of the grid; `axes` maps axis to value in grid order, `trials` is empty for a command worker."""

    id: str
    config: str
    axes: Mapping[str, Scalar]
    digest: str
    trials: tuple[Trial, ...] = ()

    @property
    def name(self) -> str:
        """The unambiguous `CONFIG/TASK`."""
        return f"{self.config}/{self.id}"


class TaskState(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


TRANSITIONS: Mapping[TaskState, frozenset[TaskState]] = {
    # A done task becomes pending when its marker no longer holds, a failed one when it is retried.
    TaskState.PENDING: frozenset({TaskState.RUNNING}),
    TaskState.RUNNING: frozenset({TaskState.PENDING, TaskState.DONE, TaskState.FAILED}),
    TaskState.DONE: frozenset({TaskState.PENDING}),
    TaskState.FAILED: frozenset({TaskState.PENDING}),
}


class FailureReason(StrEnum):
    """Why an attempt ended without success (`reason` of a `.failed` marker)."""

    OOM = "oom"
    ERROR = "error"
    INCOMPLETE = "incomplete"
    TIMEOUT = "timeout"
    HANG = "hang"
    VALIDATION = "validation"
    CONFIG = "config"
    LOST_GPU = "lost_gpu"
    KILLED = "killed"


class WorkerExit:
    """Exit codes by which accsearch's own worker tells the scheduler why it ended."""

    OK = 0
    ERROR = 1
    CONFIG = 2
    VALIDATION = 3
    OOM = 4
    LOST_GPU = 5
    STORAGE = 6
    GPU_TAKEN = 7
