"""What the scheduler asks of an executor, which starts workers, and of a runner, its end of a slot.

On every executor a keeper runs beside the worker, and its `T.exit` says how the worker ended. What a cluster says of a
job is only a hint: where to look, and that a job will never have a keeper's word.
"""

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
    executor: str = "local"
    job_id: str | None = None
    """By which the cluster knows it; with `executor` a field of `T.running`."""
    imports: Sequence[str] = ()
    """What a process has imported from which the worker is forked; empty where a worker is a program of its own."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The worker has ended and nothing of it is left; its `.exit` and `.running`."""

    exit: Exit
    running: Running


@dataclass(frozen=True, slots=True)
class Returned:
    """The job goes back, by no fault of its task: its GPU is busy, it was preempted. The runner can take another.

    A job whose worker never `started` costs the task nothing, and its runner rests for a while; the other costs it one
    of its uncounted attempts.
    """

    why: str
    started: bool = False


@dataclass(frozen=True, slots=True)
class NoStorage:
    """The attempt could not be recorded: the disk is full or not writable."""

    message: str


@dataclass(frozen=True, slots=True)
class RunnerGone:
    """The runner takes no more jobs; without an `Ended` before it, nobody knows how its worker ended."""

    why: str = "its keeper died"


Event = Ended | Returned | NoStorage | RunnerGone


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

    def capacity(self) -> int | None:
        """Return how many tasks may run at once; None where the scheduler gives out the slots of this machine."""
        ...

    def root_for(self, workdir: Path, nonce: str) -> Path:
        """Return the work directory as the worker of an attempt sees it, which may be a copy on its node."""
        ...

    def open_runner(self, lease: int | None) -> Runner:
        """Open a runner that holds `lease`, the descriptor of a GPU's lease on this machine, as long as it lives.

        Raises OSError if this machine cannot start another process.
        """
        ...

    def adopt(self, running: Running, paths: TaskPaths) -> Runner | Ended | None:
        """Return the runner where this attempt waits or runs, or how it ended; None if its keeper left no word.

        `running` was started by an executor of the same name; its `pid` is 0 if it was only submitted.
        """
        ...

    def drain(self) -> None:
        """Give back the jobs that have not started: no more are to start. Called once, when a run is cut short."""
        ...

    def clean_up(self, paths: TaskPaths, nonce: str) -> list[int]:
        """End what is left of an attempt whose keeper is gone; return the pids that could not be ended."""
        ...

    def close(self) -> None:
        """Give up what runners are opened with; jobs that still run go on."""
        ...
