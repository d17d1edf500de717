"""An executor that starts no process: an attempt goes as the test has planned, on the test's clock."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.scheduler.timeline import Timeline

from accsearch.checkpoint.markers import Exit, Running
from accsearch.executors.executor import Ended, Event, Job, Returned, RunnerGone
from accsearch.workdir import TaskPaths

WHEN = "2026-01-01T00:00:00.000+00:00"


@dataclass(frozen=True)
class Attempt:
    """How an attempt goes: it takes `seconds`, prints `log`, and ends; or its keeper dies, or it is sent back."""

    seconds: float = 10.0
    exit_code: int | None = 0
    log: str = ""
    reason: str | None = None
    keeper_dies: bool = False
    why_gone: str = "its keeper died"
    returned: Returned | None = None


Plan = Callable[[Job], Attempt]


def running_of(job: Job) -> Running:
    """Return the marker that a keeper would have written at the start of a job."""
    return Running(
        task=job.task.id, pid=1, create_time=1.0, keeper_pid=1, keeper_create_time=1.0, host="here",
        attempt=job.attempt, nonce=job.nonce, started_at=WHEN, gpu=job.gpu, batch_size=job.batch_size,
        digest=job.task.digest,
    )  # fmt: skip


class FakeRunner:
    """A runner whose descriptor is readable when the attempt is over; an adopted one serves no other."""

    def __init__(self, timeline: Timeline, plan: Plan, *, adopted: bool = False) -> None:
        self._timeline = timeline
        self._plan = plan
        self._adopted = adopted
        self.closed_at: float | None = None
        self._ready = os.eventfd(0, os.EFD_NONBLOCK)
        self._events: list[Event] = []
        self._job: Job | None = None

    def fileno(self) -> int:
        return self._ready

    def start(self, job: Job) -> None:
        assert self._job is None, "a runner takes one job at a time"
        self._job = job
        attempt = self._plan(job)
        self._timeline.after(attempt.seconds, lambda: self._end(job, attempt))

    def stop(self) -> None:
        if self._job is not None:
            self._end(self._job, Attempt(1.0, None, reason="stopped"))

    def read(self) -> list[Event]:
        os.eventfd_read(self._ready)
        events, self._events = self._events, []
        return events

    def close(self) -> None:
        self.closed_at = self._timeline.now
        os.close(self._ready)

    def _end(self, job: Job, attempt: Attempt) -> None:
        if self._job is not job:
            return  # it was stopped meanwhile
        self._job = None
        if attempt.keeper_dies:
            self._events.append(RunnerGone(attempt.why_gone))
        elif attempt.returned is not None:
            self._events.append(attempt.returned)
        else:
            last = f"{job.sentinel}\n" if attempt.exit_code == 0 else ""
            job.paths.log.write_text(f"{attempt.log}\n{last}")
            ended = Exit(
                attempt=job.attempt, nonce=job.nonce, finished_at=WHEN, exit_code=attempt.exit_code,
                seconds=attempt.seconds, reason=attempt.reason,
            )  # fmt: skip
            self._events += [Ended(ended, running_of(job)), *([RunnerGone()] if self._adopted else [])]
        os.eventfd_write(self._ready, 1)


class FakeExecutor:
    """Opens runners, and keeps them all. With a `capacity`, which a test may change, it is a cluster."""

    name = "fake"

    def __init__(self, timeline: Timeline, plan: Plan, capacity: int | None = None) -> None:
        self._timeline = timeline
        self._plan = plan
        self.nodes = capacity
        self.runners: list[FakeRunner] = []

    @property
    def open_runners(self) -> int:
        """How many were ever opened."""
        return len(self.runners)

    def capacity(self) -> int | None:
        return self.nodes

    def root_for(self, workdir: Path, nonce: str) -> Path:
        return workdir

    def open_runner(self, lease: int | None) -> FakeRunner:
        self.runners.append(FakeRunner(self._timeline, self._plan))
        return self.runners[-1]

    def adopt(self, running: Running, paths: TaskPaths) -> FakeRunner:
        return self.open_runner(None)

    def drain(self) -> None:
        self.is_drained = True

    def clean_up(self, paths: TaskPaths, nonce: str) -> list[int]:
        return []

    def close(self) -> None:
        return
