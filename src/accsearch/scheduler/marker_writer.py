"""Judge ended attempts and write their markers durably, in one thread beside the loop.

A sync takes milliseconds, and a log can be long: the next task starts meanwhile. A task counts as done only
once its marker is on disk.
"""

import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from accsearch.checkpoint.finish import judge
from accsearch.checkpoint.markers import Done, Failed
from accsearch.errors import StorageError
from accsearch.executors.executor import Ended
from accsearch.result_lines.file import read
from accsearch.scheduler.policy import Doubt, Tries, next_try, put_back
from accsearch.scheduler.slots.queued import QueuedTask
from accsearch.task import BASELINE, FailureReason
from accsearch.workdir import WorkDir, encode_json, remove, write_group

GROUP = 64
"""Outcomes that are written together at most."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An attempt whose outcome is on disk; a retry is to follow if `retry`."""

    queued: QueuedTask
    verdict: Done | Failed
    retry: bool
    tries: Tries
    excuse: str | None
    """Why the attempt is not held against the task."""
    disturbed: bool = False
    """Whether the excuse was known beforehand: the failure says nothing of the task, and nothing of a GPU."""


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """An attempt whose outcome could not be written."""

    queued: QueuedTask
    error: StorageError


@dataclass(frozen=True, slots=True)
class _Item:
    queued: QueuedTask
    ended: Ended
    excuse: str | None
    doubt: Doubt


class MarkerWriter:
    """Judges ended attempts in a thread of its own; `fileno` is readable when `read` has outcomes.

    What `check` raises ends the thread: the work directory is another run's.
    """

    def __init__(self, workdir: WorkDir, check: Callable[[], None] = lambda: None) -> None:
        self._workdir = workdir
        self._check = check
        self._items: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._results: deque[Recorded | Unrecorded] = deque()
        self._crash: Exception | None = None
        self._ready = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._thread = threading.Thread(target=self._work, name="marker_writer", daemon=True)
        self._thread.start()

    def fileno(self) -> int:
        return self._ready

    def submit(self, queued: QueuedTask, ended: Ended, excuse: str | None, doubt: Doubt = Doubt.NONE) -> None:
        """Take an attempt; an `excuse` says why a failure would not be the task's fault.

        A failure that the `doubt` covers is not held against the task either: another GPU is to decide.
        """
        self._items.put(_Item(queued, ended, excuse, doubt))

    def read(self) -> list[Recorded | Unrecorded]:
        """Return the outcomes that are on disk by now; never blocks. Raises what has ended the thread."""
        try:
            os.eventfd_read(self._ready)
        except BlockingIOError:
            return []
        if self._crash is not None:
            raise self._crash
        return [self._results.popleft() for _ in range(len(self._results))]

    def close(self) -> None:
        self._items.put(None)
        self._thread.join()
        os.close(self._ready)

    def _work(self) -> None:
        try:
            self._record_all()
        except Exception as error:  # noqa: BLE001 - a thread's outermost frame: the loop must learn of it
            self._crash = error
            os.eventfd_write(self._ready, 1)

    def _record_all(self) -> None:
        while (item := self._items.get()) is not None:
            group = [item]
            while len(group) < GROUP and not self._items.empty():
                following = self._items.get()
                if following is None:
                    self._items.put(None)
                    break
                group.append(following)
            self._results.extend(self._record(group))
            os.eventfd_write(self._ready, 1)

    def _record(self, group: Sequence[_Item]) -> list[Recorded | Unrecorded]:
        outcomes: list[Recorded | Unrecorded] = []
        files: list[tuple[Path, bytes]] = []
        for item in group:
            try:
                outcome = self._judge(item)
            except StorageError as error:
                outcomes.append(Unrecorded(item.queued, error))
                continue
            outcomes.append(outcome)
            if (path := _marker(outcome)) is not None:
                files.append((path, encode_json(_plain(outcome.verdict))))
        self._check()  # a verdict must not stand over what another host has taken over
        try:
            write_group(files)
            for each in outcomes:
                if isinstance(each, Recorded):
                    _clear(each)
        except StorageError as error:
            return [Unrecorded(item.queued, error) for item in group]
        return outcomes

    def _judge(self, item: _Item) -> Recorded:
        queued = item.queued
        verdict = judge(self._workdir, queued.config, queued.task, item.ended.exit, item.ended.running)
        if isinstance(verdict, Done):
            return Recorded(queued, verdict, False, queued.tries, None)
        excuse, reason = item.excuse, verdict.reason
        if excuse is None and item.doubt.covers(verdict):
            excuse = f"a failure that may be its GPU's ({verdict.message})"
        elif excuse is None and reason is FailureReason.LOST_GPU:
            if queued.failed_on.keys() - {verdict.gpu}:
                reason = FailureReason.ERROR  # whatever it says: it fails on other GPUs, too
            else:
                excuse = verdict.message
        if excuse is not None:
            retry, tries = put_back(queued.tries, progressed=_progressed(queued, verdict.attempt))
        else:
            retry, tries = next_try(
                reason,
                queued.tries,
                max_attempts=queued.config.retry.max_attempts,
                on_oom=queued.config.retry.on_oom,
            )
        counted = replace(verdict, counted=tries.counted)
        return Recorded(queued, counted, retry, tries, excuse, disturbed=item.excuse is not None)


def _progressed(queued: QueuedTask, attempt: int) -> bool:
    """Return whether an attempt has measured a trial that a later one does not repeat."""
    if not queued.task.trials:
        return False
    return any(line.attempt == attempt and line.trial != BASELINE for line in read(queued.paths.results))


def _marker(outcome: Recorded) -> Path | None:
    """Return which marker tells of the outcome; a task that is put back without blame has none."""
    paths = outcome.queued.paths
    if isinstance(outcome.verdict, Done):
        return paths.done
    return None if outcome.retry and outcome.excuse is not None else paths.failed


def _plain(verdict: Done | Failed) -> dict[str, Any]:
    """Return a marker's fields; `asdict` would copy each package's version anew."""
    values = {field.name: getattr(verdict, field.name) for field in fields(verdict)}
    if isinstance(verdict, Done) and verdict.results is not None:
        values["results"] = asdict(verdict.results)
    return values


def _clear(outcome: Recorded) -> None:
    """Remove the markers that the new one replaces; a crash in between leaves both, and the new one wins."""
    paths = outcome.queued.paths
    remove(paths.running)
    if isinstance(outcome.verdict, Done):
        remove(paths.failed)
