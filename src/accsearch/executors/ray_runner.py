"""The scheduler's end of one actor of a Ray cluster: sends it jobs, and writes down what comes back."""

import contextlib
import os
import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

import ray
from ray.exceptions import RayError, RayTaskError

from accsearch.checkpoint.heartbeat import renew
from accsearch.checkpoint.markers import SUBMITTED, Exit, Running, write_exit, write_running
from accsearch.errors import StorageError, UsageError
from accsearch.executors.copied_files import Destination
from accsearch.executors.executor import Ended, Event, Job, NoStorage, Returned, RunnerGone
from accsearch.executors.local import message_of
from accsearch.executors.node_agent import News, Order
from accsearch.executors.ray_nodes import NodeFacts, refuse_other_versions
from accsearch.workdir import TaskPaths

NAME = "ray"
POLL = 10.0
"""Seconds after which an actor answers even if there is nothing new."""


class Placement(Protocol):
    """Makes the actors of runners; `order` completes a job for its node."""

    def place(self, job: Job) -> Any: ...
    def order(self, job: Job) -> Order: ...
    def settled(self, job: Job, node: str) -> None:
        """Note on which node the actor for a job is."""
        ...

    def dismiss(self, actor: Any, *, now: bool) -> None:
        """Let an actor go: `now`, or once it has tidied up."""
        ...


@dataclass(frozen=True, slots=True)
class Attempt:
    """What an actor is at work on."""

    nonce: str
    paths: TaskPaths
    job: Job | None
    """None if an earlier scheduler has started it."""


class RayRunner:
    """One question to the actor at a time, as start this, or what is new; `stop` comes in between."""

    def __init__(self, placement: Placement) -> None:
        self._placement = placement
        self._ready = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._lock = threading.Lock()
        self.is_open = True
        self._answers: deque[tuple[str, Future[Any]]] = deque()
        self._events: list[Event] = []
        self._actor: Any = None
        self._attempt: Attempt | None = None
        self._asked: Future[Any] | None = None
        self._question = ""
        self._host = "?"

    @classmethod
    def attached(cls, placement: Placement, actor: Any, running: Running, paths: TaskPaths) -> "RayRunner":
        """Return the runner of an actor that is to take up an attempt of an earlier scheduler."""
        runner = cls(placement)
        runner._actor = actor
        runner._host = running.host
        runner._attempt = Attempt(running.nonce, paths, None)
        config, have = paths.running.parent.name, Destination(paths).have()
        runner._ask("adopt", actor.adopt.remote(config, running.task, running.nonce, have))
        return runner

    def fileno(self) -> int:
        return self._ready

    def start(self, job: Job) -> None:
        """Record the job, then send it to the actor, which is made first if there is none."""
        is_new = self._actor is None
        if is_new:
            self._actor = self._placement.place(job)
        job = replace(job, executor=NAME, job_id=self._actor._actor_id.hex())
        self._attempt = Attempt(job.nonce, job.paths, job)
        try:
            with contextlib.suppress(FileNotFoundError):
                job.paths.log.rename(job.old_log)
            write_running(job.paths.running, _submitted(job))
            if is_new:
                self._ask("facts", self._actor.facts.remote())
            else:
                self._ask("start", self._actor.start.remote(self._placement.order(job)))
        except (OSError, StorageError) as error:
            self._events += self._gone([NoStorage(_text(error))], "it could not be recorded")
            self._wake()

    def stop(self) -> None:
        if not self.withdraw() and self._attempt is not None and self._actor is not None:
            self._actor.stop.remote()

    def withdraw(self) -> bool:
        """Give back the job of an actor that has no node yet, and may never get one; return whether it was so."""
        if self._attempt is None or self._question != "facts":
            return False
        self._drop(now=True)
        self._events += self._returned("no node was free for it")
        self._wake()
        return True

    def read(self) -> list[Event]:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._ready)
        events, self._events = self._events, []
        while self._answers:
            question, answer = self._answers.popleft()
            if answer is self._asked:
                events += self._on_answer(question, answer)
        return events

    def close(self) -> None:
        self._drop(now=self._attempt is not None)
        with self._lock:
            self.is_open = False
            os.close(self._ready)

    def _on_answer(self, question: str, answer: "Future[Any]") -> list[Event]:
        self._asked = None
        try:
            found = answer.result()
        except RayError as error:
            return self._lost(error)
        try:
            match question:
                case "facts":
                    return self._on_facts(found)
                case "start":
                    return self._on_start(found)
                case "adopt":
                    return self._on_adopted(found)
                case _:
                    return self._on_news(found)
        except (OSError, StorageError) as error:
            self._actor.stop.remote()
            return self._gone([NoStorage(_text(error))], "what comes from its node cannot be written")

    def _on_facts(self, found: tuple[str, NodeFacts]) -> list[Event]:
        node, facts = found
        job = self._job()
        self._host = facts.host
        try:
            refuse_other_versions([facts])
        except UsageError as error:
            self._drop(now=True)
            return self._returned(str(error))
        self._placement.settled(job, node)
        self._ask("start", self._actor.start.remote(self._placement.order(job)))
        return []

    def _on_start(self, why_not: str | None) -> list[Event]:
        if why_not is not None:
            return self._returned(f"{self._host}: {why_not}")
        self._ask("poll", self._actor.poll.remote(POLL))
        return []

    def _on_adopted(self, is_there: bool) -> list[Event]:
        if not is_there:
            return self._returned("its keeper died without a trace", started=True)
        self._ask("poll", self._actor.poll.remote(POLL))
        return []

    def _on_news(self, news: News) -> list[Event]:
        """Write what has come, the marker first and the end last: who reads it after a crash finds all before it."""
        attempt = self._attempt
        assert attempt is not None
        if news.running is not None and not _mark(attempt, news.running):
            self._actor.stop.remote()
            return self._gone([], "its marker has been removed")
        destination = Destination(attempt.paths)
        for piece in news.pieces:
            destination.write(piece)
        match news.event:
            case None:
                self._ask("poll", self._actor.poll.remote(POLL))
                return []
            case Ended(exit=ended):
                return self._ended(attempt, ended, news.event)
            case RunnerGone(why=why):
                return self._returned(f"{self._host}: {why}", started=True)
            case NoStorage(message=message):
                return self._returned(f"{self._host} cannot write: {message}", started=True)
            case Returned():
                raise AssertionError("a local runner returns nothing")

    def _ended(self, attempt: Attempt, ended: Exit, event: Ended) -> list[Event]:
        write_exit(attempt.paths.exit, ended)
        self._attempt = None
        # The actor of an adopted attempt has no GPU and takes no other.
        return [event] if attempt.job is not None else [event, RunnerGone()]

    def _returned(self, why: str, *, started: bool = False) -> list[Event]:
        attempt, self._attempt = self._attempt, None
        if attempt is not None and attempt.job is None:
            return [RunnerGone(why)]
        return [Returned(why, started)]

    def _lost(self, error: RayError) -> list[Event]:
        self._drop(now=True)
        if self._attempt is None:
            return [RunnerGone()]
        said = last_line(error) if isinstance(error, RayTaskError) else first_line(error)
        return self._gone([], f"lost with its actor on {self._host} ({said})")

    def _gone(self, events: list[Event], why: str) -> list[Event]:
        self._attempt = None
        return [*events, RunnerGone(why)]

    def _ask(self, question: str, reference: "ray.ObjectRef[Any]") -> None:
        self._question = question
        self._asked = reference.future()
        self._asked.add_done_callback(lambda answer: self._answered(question, answer))

    def _answered(self, question: str, answer: "Future[Any]") -> None:
        """Pass an answer on to `read`; called in a thread of Ray's."""
        self._answers.append((question, answer))
        self._wake()

    def _wake(self) -> None:
        with self._lock:
            if self.is_open:
                os.eventfd_write(self._ready, 1)

    def _drop(self, *, now: bool) -> None:
        actor, self._actor = self._actor, None
        self._asked = None
        if actor is not None:
            self._placement.dismiss(actor, now=now)

    def _job(self) -> Job:
        assert self._attempt is not None and self._attempt.job is not None
        return self._attempt.job


def _submitted(job: Job) -> Running:
    """Return the marker of a job that has no process yet."""
    return Running(
        **message_of(job)["running"] | {"host": ""},
        pid=SUBMITTED,
        create_time=None,
        keeper_pid=SUBMITTED,
        keeper_create_time=None,
        started_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
    )


def _mark(attempt: Attempt, content: bytes) -> bool:
    """Give the marker the content that it has on its node; return False if it is not this attempt's any more."""
    marker = attempt.paths.running
    try:
        size = marker.stat().st_size
    except FileNotFoundError:
        return False
    return renew(marker, attempt.nonce, content.ljust(size))


def _text(error: OSError | StorageError) -> str:
    if isinstance(error, StorageError):
        return str(error)
    return f"{error.filename or 'work directory'}: {error.strerror}"


def first_line(error: Exception) -> str:
    """Return what an error of Ray's says in one line."""
    return str(error).strip().partition("\n")[0]


def last_line(error: Exception) -> str:
    """Return the last line of an error of Ray's, which ends with the traceback of the node."""
    return str(error).strip().rpartition("\n")[2]
