"""Decide from files alone what state each task of a grid is in, and why; changes nothing."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from accsearch.checkpoint.files import attempts, names, read_all, sizes, tail
from accsearch.checkpoint.markers import (
    SCHEMA,
    DamagedMarker,
    Done,
    Failed,
    decode,
    read_done,
    read_exit,
    read_failed,
)
from accsearch.checkpoint.record import TaskRecord
from accsearch.checkpoint.renewal import needs_nothing, renewal
from accsearch.checkpoint.running_attempt import attempt_of
from accsearch.errors import StorageError
from accsearch.grid import Grid, digest_parts, success_sentinel
from accsearch.result_lines.versions import changes, installed_versions
from accsearch.task import Task, TaskState
from accsearch.workdir import ASIDE, DONE, FAILED, LOG, RESULTS, RUNNING, TaskPaths, WorkDir, aside_of

_DONE_FIELDS = {each.name for each in fields(Done) if each.default is MISSING}


def audit(
    workdir: WorkDir, grid: Grid, *, keep_stale: bool = False, rerun_on_versions: bool = False
) -> list[TaskRecord]:
    """Return the record of each task of `grid`, in its order.

    With `keep_stale` a marker of another digest holds; with `rerun_on_versions` one of other package
    versions does not. Raises StorageError.
    """
    try:
        return _Audit(workdir, grid, keep_stale, rerun_on_versions).records()
    except OSError as error:
        raise StorageError(f"{error.filename or workdir.root}: {error.strerror}") from error


class _Audit:
    """What the tasks of one grid are compared with: listings read once, and a memory of repeated answers."""

    def __init__(self, workdir: WorkDir, grid: Grid, keep_stale: bool, rerun_on_versions: bool) -> None:
        name = grid.config.name
        self._workdir = workdir
        self._grid = grid
        self._keep_stale = keep_stale
        self._rerun_on_versions = rerun_on_versions
        self._marker_prefix, self._log_prefix, _ = workdir.prefixes(name)
        markers, self._logs, results = workdir.folders(name)
        self._markers = frozenset(names(markers))
        self._sizes = sizes(results)
        self._versions = dict(installed_versions())
        self._moved: dict[tuple[tuple[str, str], ...], str] = {}
        self._logged: Mapping[str, int] | None = None
        self._now = time.time()

    def _paths(self, task: Task) -> TaskPaths:
        return self._workdir.task(task.config, task.id)

    def records(self) -> list[TaskRecord]:
        return [self._record(task) for task in self._grid.tasks]

    def _record(self, task: Task) -> TaskRecord:
        markers = self._markers
        done = f"{task.id}{DONE}" in markers
        if f"{task.id}{RUNNING}" in markers:
            return self._started(task, done)
        return self._settled(task, done)

    def _settled(self, task: Task, done: bool) -> TaskRecord:
        """Return the record of a task that no attempt is under way for."""
        if not done:
            return self._not_done(task)
        try:
            holds, why, value = self._check(task)
        except FileNotFoundError:  # a run has set it aside since the folder was listed
            return self._not_done(task)
        if holds:
            stale = value["digest"] != task.digest and not self._keep_stale
            return TaskRecord(
                task,
                TaskState.DONE,
                why,
                attempt=value["attempt"],
                seconds=value["seconds"],
                last_seconds=value["seconds"],
                measured_share=value.get("measured_share"),
                gpu=value["gpu"],
                host=value["host"],
                renewed=renewal(self._workdir, self._grid.config, task, value) if stale else None,
                # Left where a run was cut off between the one and the other.
                leftover=(self._paths(task).failed,) if f"{task.id}{FAILED}" in self._markers else (),
            )
        return self._not_done(task, why, value)

    def _started(self, task: Task, done: bool) -> TaskRecord:
        """Return the record of a task with a `.running` marker, which may be of an attempt already judged."""
        paths = self._paths(task)
        attempt = attempt_of(paths, self._now)
        if attempt is None:
            return self._settled(task, done)
        running = attempt.running
        if attempt.alive and running is not None:
            return TaskRecord(
                task,
                TaskState.RUNNING,
                attempt.why,
                running=running,
                attempt=running.attempt,
                gpu=running.gpu,
                host=running.host,
            )
        judged = {_judged(read_done, paths.done), _judged(read_failed, paths.failed)} - {None}
        if running is not None and running.nonce in judged:
            settled = self._settled(task, done)
            return replace(settled, leftover=(*settled.leftover, paths.running, paths.exit))
        pending = self._not_done(task, attempt.why)
        return replace(
            pending,
            running=running,
            attempt=max(pending.attempt, running.attempt if running is not None else 0),
            exit=attempt.exit,
            orphan_pid=attempt.orphan_pid,
            set_aside=(*pending.set_aside, *attempt.damaged, *((paths.done,) if done else ())),
        )

    def _not_done(self, task: Task, why: str = "", done: Mapping[str, Any] | None = None) -> TaskRecord:
        """Return a pending or failed record; `done` is the content of a marker that does not hold."""
        return replace(self._unfinished(task, why, done), last_seconds=self._took(task, done))

    def _took(self, task: Task, done: Mapping[str, Any] | None) -> float | None:
        """Return what the last success took, by a marker that does not hold or was set aside earlier."""
        if done:
            return float(done["seconds"])
        if f"{task.id}{DONE}{ASIDE}" not in self._markers:
            return None
        try:
            marker = read_done(aside_of(self._paths(task).done))
        except DamagedMarker:
            return None
        return None if marker is None else marker.seconds

    def _unfinished(self, task: Task, why: str, done: Mapping[str, Any] | None) -> TaskRecord:
        paths = self._paths(task)
        last = max(done.get("attempt", 0) if done else 0, self._last_logged(task.id), _last_ended(paths.exit))
        aside = () if done is None else (paths.done,)
        if paths.failed.name not in self._markers:
            return TaskRecord(task, TaskState.PENDING, why or _not_run(last), attempt=last, set_aside=aside)
        try:
            failed = read_failed(paths.failed)
        except DamagedMarker as fault:
            why = why or f"{paths.failed.name} is damaged: {fault}"
            return TaskRecord(task, TaskState.PENDING, why, attempt=last, set_aside=(*aside, paths.failed))
        if failed is None:
            return TaskRecord(task, TaskState.PENDING, why or _not_run(last), attempt=last, set_aside=aside)
        last = max(last, failed.attempt)
        if failed.digest != task.digest and not self._keep_stale:
            why = why or f"failed before; {self._what_changed(task, failed.parts)}"
            return TaskRecord(task, TaskState.PENDING, why, attempt=last, set_aside=(*aside, paths.failed))
        newest = not why or (done is not None and done.get("attempt", failed.attempt) < failed.attempt)
        if newest:
            why = f"failed ({failed.reason}): {failed.message}"
        state = TaskState.FAILED if newest else TaskState.PENDING
        return TaskRecord(task, state, why, failed, attempt=last, set_aside=aside)

    def _check(self, task: Task) -> tuple[bool, str, dict[str, Any]]:
        """Return whether the task's `.done` holds, why, and its content (empty if damaged).

        This runs for every finished task of every run, hence the plain system calls. The decoder is pydantic's: it
        takes a third of the time that the standard library's does.
        """
        data = read_all(f"{self._marker_prefix}{task.id}{DONE}")
        try:
            value = from_json(data)
            results, versions = value["results"], value["versions"]
            size = None if results is None else results["bytes"]
            if not (
                value["schema"] == SCHEMA
                and value["task"] == task.id
                and type(value["attempt"]) is int
                and type(value["seconds"]) in (int, float)
                and type(versions) is dict
                and value.keys() >= _DONE_FIELDS
            ):
                raise ValueError
        except (ValueError, KeyError, TypeError):
            return False, f"{task.id}{DONE} is damaged: {_damage(data)}", {}
        stale = value["digest"] != task.digest and not self._keep_stale
        if stale and not needs_nothing(self._workdir, self._grid.config, task):
            return False, self._what_changed(task, value.get("parts")), value
        if size is not None and self._sizes.get(f"{task.id}{RESULTS}") != size:
            found = self._sizes.get(f"{task.id}{RESULTS}")
            is_now = "is missing" if found is None else f"has {found} bytes, {size} when the task was done"
            return False, f"its results file {is_now}", value
        end = tail(f"{self._log_prefix}{task.id}{LOG}")
        if end is not None and success_sentinel(self._grid.config, task).encode() not in end:
            return False, "its log does not end with the success sentinel", value
        held = "done; its results hold every trial of the changed configuration" if stale else "done"
        if versions == self._versions:
            return True, held, value
        moved = self._versions_moved(versions)
        if self._rerun_on_versions:
            return False, f"package versions changed: {moved}", value
        return True, f"{held}; package versions since: {moved}", value

    def _versions_moved(self, before: Mapping[str, str]) -> str:
        key = tuple(before.items())
        if key not in self._moved:
            self._moved[key] = changes(before, self._versions)
        return self._moved[key]

    def _what_changed(self, task: Task, before: Mapping[str, str] | None) -> str:
        """Say what of a digest changed; `before` is what it covered, where the marker tells."""
        if not isinstance(before, dict):
            return "the configuration changed since"
        now = digest_parts(self._grid.config, task)
        keys = [key for key in now if now[key] != before.get(key)] + [key for key in before if key not in now]
        shown = [_difference(key, before.get(key), now.get(key)) for key in keys[:3]]
        more = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
        return f"changed since: {', '.join(shown)}{more}" if shown else "the configuration changed since"

    def _last_logged(self, task: str) -> int:
        """Return the number of the last attempt that has left a log: `T.log` follows the rotated ones."""
        if self._logged is None:
            self._logged = attempts(names(self._logs), self._grid.ids())
        return self._logged.get(task, 0)


def _not_run(attempts: int) -> str:
    return f"not finished: attempt {attempts} was interrupted" if attempts else "not run yet"


def _difference(key: str, before: object, now: object) -> str:
    if any(re.fullmatch("[0-9a-f]{16,64}", str(value)) for value in (before, now)):
        return key
    return f"{key} {before or 'unset'} -> {now or 'unset'}"


def _damage(data: bytes) -> str:
    try:
        decode(data, Done)
    except DamagedMarker as fault:
        return str(fault)
    return "it is of another task"


def _last_ended(path: Path) -> int:
    try:
        ended = read_exit(path)
    except DamagedMarker:
        return 0
    return 0 if ended is None else ended.attempt


def _judged(read: Callable[[Path], Done | Failed | None], path: Path) -> str | None:
    """Return the nonce of the attempt that a verdict is about."""
    try:
        marker = read(path)
    except DamagedMarker:
        return None
    return None if marker is None else marker.nonce
