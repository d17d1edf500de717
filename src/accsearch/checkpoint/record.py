"""What the files say about one task."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from accsearch.checkpoint.markers import Done, Exit, Failed, Running, write_done
from accsearch.errors import StorageError
from accsearch.task import Task, TaskState
from accsearch.workdir import aside_of


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """A task's state and why it would run, is running or is skipped.

    A pending record with both `running` and `exit` is of an attempt that ended while no scheduler watched:
    judge it before starting another. One with `orphan_pid` has a worker left without its keeper: end it.
    """

    task: Task
    state: TaskState
    why: str
    failed: Failed | None = None
    running: Running | None = None
    attempt: int = 0
    """Number of the last attempt, 0 if there was none."""
    exit: Exit | None = None
    orphan_pid: int | None = None
    seconds: float | None = None
    """What a finished task took."""
    last_seconds: float | None = None
    """What its last success took, also where that does not hold any more: how long it may take again."""
    measured_share: float | None = None
    """Of a finished task's `seconds`, what was timed generation."""
    gpu: str | None = None
    host: str | None = None
    """Where it runs, or was done."""
    set_aside: tuple[Path, ...] = ()
    """Markers that no longer hold; `tidy` renames them."""
    renewed: tuple[Path, Done] | None = None
    """The marker of a finished task with the present digest, which `tidy` writes in place of the earlier one."""
    leftover: tuple[Path, ...] = ()
    """Markers of an attempt that is over and judged; `tidy` removes them."""


def tidy(record: TaskRecord) -> None:
    """Rename a record's markers that no longer hold to `*.aside`, remove what judged attempts left, renew a marker."""
    try:
        for path in record.set_aside:
            with contextlib.suppress(FileNotFoundError):
                path.rename(aside_of(path))
        for path in record.leftover:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"{error.filename}: {error.strerror}") from error
    if record.renewed is not None:
        write_done(*record.renewed)
