"""What the scheduler asks of an executor, which starts workers, and of a runner, its end of a slot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from accsearch.checkpoint.markers import Exit, Running
from accsearch.task import Task
from accsearch.workdir import TaskPaths


@dataclass(frozen=True, slots=True)
class Job:
    """One attempt of a task, ready to start; durations in seconds, `env` is added to the scheduler's own."""

    task: Task
    attempt: int
    nonce: str
    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: str
    paths: TaskPaths
    old_log: Path
    """Where the log of the attempt before goes."""
    gpu: str | None
    batch_size: int | None
    timeout: float | None
    stall_timeout: float | None
    grace: float
    sentinel: str = ""
    """The line by which the log says that the attempt succeeded."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The worker has ended and nothing of it is left; its `.exit` and `.running`."""

    exit: Exit
    running: Running


@dataclass(frozen=True, slots=True)
class NoStorage:
    """The attempt could not be recorded: the disk is full or not writable."""

    message: str


@dataclass(frozen=True, slots=True)
class RunnerGone:
    """The keeper is no more; without an `Ended` before it, nobody knows how its worker ended."""


Event = Ended | NoStorage | RunnerGone


class Runner(Protocol):
    """Runs the jobs of one slot, one at a time."""

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when `read` has something."""
        ...

    def start(self, job: Job) -> None: ...

    def stop(self) -> None:
        """Ask the running worker to end; an `Ended` follows."""
        ...

    def read(self) -> list[Event]:
        """Return what has happened; never blocks."""
        ...

    def close(self) -> None:
        """Give the runner up; a job that still runs goes on without us."""
        ...


class Executor(Protocol):
    """Opens runners, and finds those that an earlier scheduler left at work."""

    name: str

    def open_runner(self, lease: int | None) -> Runner:
        """Open a runner that holds `lease`, the descriptor of a GPU's lease, as long as it lives.

        Raises OSError if this machine cannot start another process.
        """
        ...

    def adopt(self, running: Running, paths: TaskPaths) -> Runner | Ended | None:
        """Return the runner where this attempt still runs, or how it ended; None if its keeper left no word."""
        ...

    def strays(self) -> list[int]:
        """Return the pids of workers whose keeper was killed while this executor was open."""
        ...

    def close(self) -> None:
        """Give up what runners are opened with; jobs that still run go on."""
        ...
