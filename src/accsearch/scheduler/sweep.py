"""Remove what processes that were killed in the middle of a write left behind."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from accsearch.checkpoint.markers import DamagedMarker, read_running
from accsearch.checkpoint.ownership import runs_here
from accsearch.errors import StorageError
from accsearch.process_identity import process_identity
from accsearch.workdir import RUNNING, TEMPORARY, WorkDir, remove


def sweep(workdir: WorkDir, configs: Sequence[str]) -> None:
    """Remove the temporary files of dead processes, and what a dead scheduler said its tasks wait for.

    Called with the work directory locked; a keeper that still lives keeps its files. Raises StorageError.
    """
    remove(workdir.waiting)
    remove(workdir.queue)
    for folder in (workdir.checkpoints, *(workdir.checkpoints / config for config in configs)):
        try:
            names = os.listdir(folder)  # noqa: PTH208 - a Path for each of 10,000 names is slow
        except OSError as error:
            raise StorageError(f"{folder}: {error.strerror}") from error
        temporary = [name for name in names if name.endswith(TEMPORARY)]
        foreign = _foreign_tasks(folder, names) if temporary else ()
        for name in temporary:
            if not _is_being_written(name) and not name.startswith(foreign):
                remove(Path(folder, name))


def _foreign_tasks(folder: Path, names: Sequence[str]) -> tuple[str, ...]:
    """Return how the files of tasks begin that another host runs: whether their writers live is not seen here."""
    found = []
    for name in names:
        if name.endswith(RUNNING):
            with contextlib.suppress(DamagedMarker, OSError):
                running = read_running(Path(folder, name))
                if running is not None and not runs_here(running):
                    found.append(f"{running.task}.")
    return tuple(found)


def _is_being_written(name: str) -> bool:
    """Return whether the process in a temporary file's name (`FILE.PID.tmp`) lives."""
    pid = name.removesuffix(TEMPORARY).rpartition(".")[2]
    return pid.isdecimal() and int(pid) != os.getpid() and process_identity(int(pid)) is not None
