"""The options of a run, the observer of what happens in it, and its summary."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from accsearch.checkpoint.markers import Done, Failed
from accsearch.task import Task, TaskState


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Options of one run; `only` names the tasks (CONFIG/TASK) to which it is limited.

    `gpus` is a list of indices or UUIDs, `none`, or None for all; `slots` counts tasks at once without GPUs, or on a
    cluster, whose `address` is that of Ray's head node.
    `cwd` maps a configuration to the folder in which its command workers start (default: the present one).
    """

    gpus: str | None = None
    slots: int | None = None
    keep_stale: bool = False
    rerun_on_versions: bool = False
    only: frozenset[str] | None = None
    executor: str = "local"
    address: str | None = None
    cwd: Mapping[str, str] = field(default_factory=dict)


class Observer(Protocol):
    """Receives what happens; called in the scheduler's thread, so it must not block."""

    def started(self, task: Task, gpu: str | None) -> None: ...

    def ended(self, task: Task, verdict: Done | Failed) -> None:
        """An attempt has been judged; a failed one may be tried again."""
        ...

    def message(self, text: str) -> None:
        """One line for the user."""
        ...

    def waiting(self, reasons: Mapping[str, str], tasks: int) -> None:
        """What pending tasks (CONFIG/TASK, `*` for all others) wait for and how many there are, at each change."""
        ...

    def time_left(self, seconds: float | None) -> None:
        """Estimate of when the last task ends, None while unknown."""
        ...


class Silent:
    """An observer that says nothing."""

    def started(self, task: Task, gpu: str | None) -> None:
        pass

    def ended(self, task: Task, verdict: Done | Failed) -> None:
        pass

    def message(self, text: str) -> None:
        pass

    def waiting(self, reasons: Mapping[str, str], tasks: int) -> None:
        pass

    def time_left(self, seconds: float | None) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Summary:
    """How a run ended: states of all tasks of the grids, and the last failure of each failed one."""

    counts: Mapping[TaskState, int]
    failures: tuple[Failed, ...]
    exit_code: int
    why: str | None = None
    """Why it ended before everything was tried; None if it did not."""
