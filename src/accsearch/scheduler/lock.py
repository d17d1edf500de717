"""One scheduler per work directory: a lock file that names its holder."""

import contextlib
import errno
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from accsearch.checkpoint.process import is_alive, process_create_time, process_identity
from accsearch.errors import StorageError, UsageError
from accsearch.workdir import WorkDir, remove


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that a lock file names."""

    pid: int
    create_time: float | None
    identity: str | None

    def is_alive(self) -> bool:
        return is_alive(self.pid, self.create_time, self.identity)


@contextlib.contextmanager
def locked(workdir: WorkDir) -> Iterator[None]:
    """Hold the work directory; raises UsageError with the pid of the scheduler that already does."""
    descriptor = _acquire(workdir)
    try:
        pid = os.getpid()
        me = {"pid": pid, "create_time": process_create_time(pid), "identity": process_identity(pid)}
        _sign(workdir, descriptor, json.dumps(me).encode() + b"\n")
        yield
    finally:
        try:
            # Unlinked while still locked: whoever waits on the old file finds that it is no longer in place.
            remove(workdir.lock)
        finally:
            os.close(descriptor)


def _sign(workdir: WorkDir, descriptor: int, content: bytes) -> None:
    try:
        os.ftruncate(descriptor, 0)
        if os.pwrite(descriptor, content, 0) != len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError as error:
        raise StorageError(f"{workdir.lock}: {error.strerror}") from error


def _acquire(workdir: WorkDir) -> int:
    try:
        workdir.checkpoints.mkdir(parents=True, exist_ok=True)
        while True:
            descriptor = os.open(workdir.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _in_place(workdir, descriptor):
                    return descriptor
            except BlockingIOError as error:
                holder = read_holder(workdir)
                who = f"pid {holder.pid}" if holder is not None else "just starting"
                os.close(descriptor)
                raise UsageError(
                    f"{workdir.root}: another run is at work here ({who}): `accsearch status --watch` follows it, "
                    "`accsearch stop` ends it, --workdir FOLDER runs beside it"
                ) from error
            os.close(descriptor)
    except OSError as error:
        raise StorageError(f"{workdir.lock}: {error.strerror}") from error


def _in_place(workdir: WorkDir, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), workdir.lock.stat())
    except FileNotFoundError:
        return False


def read_holder(workdir: WorkDir) -> Holder | None:
    """Return whom the lock file names, alive or not; None without one."""
    try:
        content: dict[str, Any] = json.loads(workdir.lock.read_bytes())
        return Holder(int(content["pid"]), content["create_time"], content["identity"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    except OSError as error:
        raise StorageError(f"{workdir.lock}: {error.strerror}") from error
