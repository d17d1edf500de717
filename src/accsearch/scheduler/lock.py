"""One scheduler per work directory: a lock file that names its holder and shows that it lives."""

import contextlib
import errno
import fcntl
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from accsearch.checkpoint import heartbeat
from accsearch.checkpoint.filesystem import NO_LOCKS
from accsearch.checkpoint.heartbeat import Watch, is_owned, renew, with_beat
from accsearch.checkpoint.ownership import Holder, read_holder
from accsearch.errors import StorageError, TakenOverError, UsageError
from accsearch.process_identity import host_name, pid_namespace, process_create_time, process_identity
from accsearch.workdir import RUNNING, WorkDir

ROOM = 1024
"""Size of the lock file in bytes; the rest is filled with spaces."""
UNSIGNED = 2.0
"""Seconds after which a lock file without a name is taken for that of a dead process."""


@dataclass(frozen=True, slots=True)
class Waiter:
    """How to wait for another host's sign of life; `say` takes a line for the user, times are monotonic."""

    watch: Watch
    say: Callable[[str], None] = lambda _: None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Lock:
    """A held work directory; `fileno` becomes readable when another host has taken it over."""

    def __init__(self, workdir: WorkDir) -> None:
        pid = os.getpid()
        self._workdir = workdir
        self._token = uuid.uuid4().hex
        self._me: dict[str, Any] = {
            "pid": pid,
            "create_time": process_create_time(pid),
            "identity": process_identity(pid),
            "host": host_name(),
            "namespace": pid_namespace(),
            "token": self._token,
        }
        self._beats = 0
        self._lost = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="heartbeat", daemon=True)

    def fileno(self) -> int:
        return self._lost

    def check(self) -> None:
        """Raise TakenOverError if the work directory is another run's by now; called before what only one may do."""
        if not is_owned(self._workdir.lock, self._token):
            holder = read_holder(self._workdir)
            who = "nobody's" if holder is None else f"that of {holder}"
            raise TakenOverError(
                f"{self._workdir.root}: this run is {who} by now, after it was taken for dead; "
                "what it has started goes on under its keepers"
            )

    def beat(self) -> bool:
        """Give a sign of life; return False if the work directory is another run's."""
        self._beats += 1
        try:
            return renew(self._workdir.lock, self._token, self._content())
        except OSError:
            return True  # the disk is away: nobody else can take over either

    def sign(self, descriptor: int) -> None:
        """Write our name into the lock file and begin to show that we live."""
        try:
            os.ftruncate(descriptor, 0)
            if os.pwrite(descriptor, self._content(), 0) != ROOM:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise StorageError(f"{self._workdir.lock}: {error.strerror}") from error
        self._thread.start()

    def release(self) -> None:
        """Remove the lock file if it is still ours."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()
        os.close(self._lost)
        try:
            if is_owned(self._workdir.lock, self._token):
                self._workdir.lock.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"{self._workdir.lock}: {error.strerror}") from error

    def _content(self) -> bytes:
        return with_beat(self._me, self._beats).ljust(ROOM)

    def _keep(self) -> None:
        while not self._over.wait(heartbeat.BEAT):
            if not self.beat():
                os.eventfd_write(self._lost, 1)
                return


@contextlib.contextmanager
def locked(workdir: WorkDir, waiter: Waiter | None = None) -> Iterator[Lock]:
    """Hold the work directory.

    Raises UsageError with the pid, and the host where it is another, of the scheduler that already does. One of
    another host that shows no sign of life for `heartbeat.SILENCE` seconds is taken for dead.
    """
    descriptor = _acquire(workdir, waiter or Waiter(Watch()))
    try:
        lock = Lock(workdir)
        try:
            lock.sign(descriptor)
            yield lock
        finally:
            # Unlinked while still locked: whoever waits on the old file finds that it is no longer in place.
            lock.release()
    finally:
        os.close(descriptor)


def _acquire(workdir: WorkDir, waiter: Waiter) -> int:
    try:
        workdir.checkpoints.mkdir(parents=True, exist_ok=True)
        while True:
            made, descriptor = _open(workdir)
            try:
                _lock(workdir, descriptor)
                if _in_place(workdir, descriptor) and (made or _is_free(workdir, waiter)):
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)
    except OSError as error:
        raise StorageError(f"{workdir.lock}: {error.strerror}") from error


def _open(workdir: WorkDir) -> tuple[bool, int]:
    """Return the lock file's descriptor and whether it was made now, which one host alone does."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    try:
        return True, os.open(workdir.lock, flags | os.O_EXCL, 0o600)
    except FileExistsError:
        return False, os.open(workdir.lock, flags, 0o600)


def _lock(workdir: WorkDir, descriptor: int) -> None:
    """Lock the file against others of this kernel, and of others where the file system can."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise _refusal(workdir, read_holder(workdir)) from error
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise


def _is_free(workdir: WorkDir, waiter: Waiter) -> bool:
    """Wait until it is clear whether the holder that the file names is dead; False if the file has gone meanwhile.

    Raises UsageError if it lives.
    """
    holder = read_holder(workdir)
    if holder is not None and holder.is_here:
        if holder.is_alive():
            raise _refusal(workdir, holder)
        return True
    if holder is not None:
        waiter.say(
            f"{workdir.root}: held by the run of {holder}; taken over unless it shows a sign of life within "
            f"{heartbeat.SILENCE:.0f} s"
        )
    patience = UNSIGNED if holder is None else heartbeat.SILENCE
    while workdir.lock.exists():
        now = waiter.clock()
        for name, _ in workdir.marked(RUNNING):
            # Watched meanwhile, so that its tasks need not be waited for anew.
            waiter.watch.look_at_task(workdir.task(*name.split("/")), now)
        if waiter.watch.look(workdir.lock, now) >= patience:
            return True
        if waiter.watch.is_alive(workdir.lock):
            raise _refusal(workdir, read_holder(workdir))
        waiter.sleep(min(heartbeat.LOOK, patience / 4))
    return False


def _refusal(workdir: WorkDir, holder: Holder | None) -> UsageError:
    who = "just starting" if holder is None else str(holder)
    if holder is None or holder.is_here:
        follow = "`accsearch status --watch` follows it, `accsearch stop` ends it"
    else:
        follow = f"stop it there, or, if that host is gone, `accsearch stop --host {holder.host}`"
    return UsageError(
        f"{workdir.root}: another run is at work here ({who}): {follow}, --workdir FOLDER runs beside it"
    )


def _in_place(workdir: WorkDir, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), workdir.lock.stat())
    except FileNotFoundError:
        return False
