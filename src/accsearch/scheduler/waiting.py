"""Say what pending tasks wait for, to `status`, and which GPUs are quarantined, to `gpus`."""

import os
from collections.abc import Mapping

from accsearch.checkpoint.process import process_create_time
from accsearch.errors import StorageError
from accsearch.scheduler.options import Observer
from accsearch.workdir import WorkDir, remove, write_json


class Waiting:
    """Keeps `.waiting.json` and the observer up to date; nothing is written where nothing has changed."""

    def __init__(self, workdir: WorkDir, observer: Observer) -> None:
        self._workdir = workdir
        self._observer = observer
        self._last: tuple[dict[str, str], str, dict[str, str]] | None = None

    def tell(self, tasks: Mapping[str, str], default: str, quarantined: Mapping[str, str]) -> None:
        """Say what tasks (CONFIG/TASK) wait for, what all others wait for, and why a GPU (UUID) is out."""
        now = (dict(tasks), default, dict(quarantined))
        if now == self._last:
            return
        self._last = now
        pid = os.getpid()
        content = {
            "pid": pid,
            "create_time": process_create_time(pid),
            "tasks": now[0],
            "default": default,
            "quarantined": now[2],
        }
        try:
            write_json(self._workdir.waiting, content, durable=False)
        except StorageError as error:
            self._observer.message(f"what tasks wait for cannot be shown: {error}")
        self._observer.waiting(now[0] | {"*": default})

    def close(self) -> None:
        try:
            remove(self._workdir.waiting)
        except StorageError as error:
            self._observer.message(f"{error}: left behind")
