"""Remove what processes that were killed in the middle of a write left behind."""

import os
from collections.abc import Sequence
from pathlib import Path

from accsearch.checkpoint.process import process_identity
from accsearch.errors import StorageError
from accsearch.workdir import TEMPORARY, WorkDir, remove


def sweep(workdir: WorkDir, configs: Sequence[str]) -> None:
    """Remove the temporary files of dead processes, and what a dead scheduler said its tasks wait for.

    Called with the work directory locked; a keeper that still lives keeps its files. Raises StorageError.
    """
    remove(workdir.waiting)
    for folder in (workdir.checkpoints, *(workdir.checkpoints / config for config in configs)):
        try:
            names = os.listdir(folder)  # noqa: PTH208 - a Path for each of 10,000 names is slow
        except OSError as error:
            raise StorageError(f"{folder}: {error.strerror}") from error
        for name in names:
            if name.endswith(TEMPORARY) and not _is_being_written(name):
                remove(Path(folder, name))


def _is_being_written(name: str) -> bool:
    """Return whether the process in a temporary file's name (`FILE.PID.tmp`) lives."""
    pid = name.removesuffix(TEMPORARY).rpartition(".")[2]
    return pid.isdecimal() and int(pid) != os.getpid() and process_identity(int(pid)) is not None
