"""Say what pending tasks wait for, to `status`, and which GPUs are quarantined, to `gpus`."""

import os
from collections.abc import Mapping

from accsearch.errors import StorageError
from accsearch.process_identity import process_create_time
from accsearch.scheduler.options import Observer
from accsearch.workdir import WorkDir, remove, write_json


class Waiting:
    """Keeps `.waiting.json` and the observer up to date; nothing is written where nothing has changed."""

    def __init__(self, workdir: WorkDir, observer: Observer) -> None:
        self._workdir = workdir
        self._observer = observer
        self._written: tuple[dict[str, str], str, dict[str, str]] | None = None
        self._reported: tuple[dict[str, str], int] = ({}, 0)

    def report(
        self, tasks: Mapping[str, str], default: str, count: int, quarantined: Mapping[str, str]
    ) -> None:
        """Say how many tasks wait, what some (CONFIG/TASK) and all others wait for, and why a GPU (UUID) is out."""
        reasons = dict(tasks) | ({"*": default} if count else {})
        if count:
            self._write(dict(tasks), default, dict(quarantined))
        if (reasons, count) != self._reported:
            self._reported = (reasons, count)
            self._observer.waiting(reasons, count)

    def _write(self, tasks: dict[str, str], default: str, quarantined: dict[str, str]) -> None:
        now = (tasks, default, quarantined)
        if now == self._written:
            return
        self._written = now
        pid = os.getpid()
        content = {
            "pid": pid,
            "create_time": process_create_time(pid),
            "tasks": tasks,
            "default": default,
            "quarantined": quarantined,
        }
        try:
            write_json(self._workdir.waiting, content, durable=False)
        except StorageError as error:
            self._observer.message(f"what tasks wait for cannot be shown: {error}")

    def close(self) -> None:
        try:
            remove(self._workdir.waiting)
        except StorageError as error:
            self._observer.message(f"{error}: left behind")
