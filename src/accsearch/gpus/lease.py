"""Leases: a GPU belongs to whoever holds the lock on its file, across schedulers and users.

The lock (flock) belongs to the open file, so it lasts until the last process that inherited the descriptor
has ended: a keeper holds it on when its scheduler is killed. A lease is never unlocked, only closed.
"""

import contextlib
import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path

from accsearch.errors import StorageError
from accsearch.gpus.holder import LeaseHolder, holder, sign
from accsearch.gpus.lease_files import hint, lease_file, open_lock_file

__all__ = ["Lease", "LeaseHolder", "acquire", "holder"]

_PROBE_RETRIES = 200


@dataclass(slots=True)
class Lease:
    """The right to use one GPU; ends when this descriptor and every inherited copy of it are closed."""

    uuid: str
    path: Path
    _descriptor: int

    def fileno(self) -> int:
        """Return the descriptor that a keeper inherits (`pass_fds`)."""
        return self._descriptor

    def touch(self) -> None:
        """Mark the file as in use, so that no cleaner of temporary files takes it for an old one."""
        with contextlib.suppress(OSError):  # another user's file: its owner's runs mark it
            os.utime(self._descriptor)

    def close(self) -> None:
        """Give up this process's share of the lease."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def acquire(uuid: str, workdir: Path | None = None) -> Lease | None:
    """Lease a GPU, or return None if another process has it; never waits. Raises StorageError.

    `workdir` is only named to those who ask for the holder.
    """
    path = lease_file(uuid)
    try:
        while True:
            descriptor = open_lock_file(path)
            if not _lock(descriptor):
                os.close(descriptor)
                return None
            if _is_current(path, descriptor):
                break
            # A cleaner removed the file between open and lock: the lock on it is worth nothing.
            os.close(descriptor)
    except OSError as error:
        raise StorageError(f"{error.filename or path}: {hint(error)}") from error
    lease = Lease(uuid, path, descriptor)
    sign(descriptor, workdir)
    return lease


def _lock(descriptor: int) -> bool:
    """Take the exclusive lock if no one has it; a `holder` call looking at the same moment is waited out."""
    for _ in range(_PROBE_RETRIES):
        for kind in (fcntl.LOCK_EX, fcntl.LOCK_SH):
            try:
                fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            if kind == fcntl.LOCK_EX:
                return True
            # No exclusive holder, so the refusal came from a reader's shared lock, held for microseconds.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            time.sleep(0.0005)
            break
        else:
            return False
    return False


def _is_current(path: Path, descriptor: int) -> bool:
    try:
        there = path.lstat()
    except FileNotFoundError:
        return False
    return os.path.samestat(there, os.fstat(descriptor))
