"""The scheduler's end of a job of Slurm: it hands the job over, and tells the loop how it ended."""

import contextlib
import os
from collections import deque
from typing import Protocol

from accsearch.executors.executor import Event, Job, RunnerGone


class Jobs(Protocol):
    """What a runner asks of the executor, which follows the jobs of all runners."""

    def add(self, runner: "SlurmRunner", job: Job) -> None:
        """Submit a job soon, together with others."""
        ...

    def end(self, runner: "SlurmRunner") -> None:
        """Cancel the job of a runner; one that has started is ended by its keeper."""
        ...

    def forget(self, runner: "SlurmRunner") -> None:
        """Follow the job of a runner no more."""
        ...

    def check(self) -> None:
        """Raise what has ended the executor's thread."""
        ...


class SlurmRunner:
    """One job at a time of those that this run has in Slurm; an adopted one serves no other."""

    def __init__(self, jobs: Jobs, *, adopted: bool = False) -> None:
        self._jobs = jobs
        self._adopted = adopted
        self._ready = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._events: deque[Event] = deque()

    def fileno(self) -> int:
        return self._ready

    def start(self, job: Job) -> None:
        self._jobs.add(self, job)

    def stop(self) -> None:
        self._jobs.end(self)

    def read(self) -> list[Event]:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._ready)
        self._jobs.check()
        return [self._events.popleft() for _ in range(len(self._events))]

    def close(self) -> None:
        """Give the runner up; its job goes on."""
        self._jobs.forget(self)
        os.close(self._ready)

    def report(self, event: Event) -> None:
        """Let the loop know how the job ended."""
        self._events += [event, RunnerGone()] if self._adopted else [event]
        self.wake()

    def wake(self) -> None:
        """Make the loop call `read`."""
        os.eventfd_write(self._ready, 1)
