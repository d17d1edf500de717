"""Who holds a lease, as far as the kernel and the holder's own note say."""

import contextlib
import fcntl
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from accsearch.errors import StorageError
from accsearch.gpus.lease_files import lease_file
from accsearch.gpus.owner import process_user, this_user, user_name


@dataclass(frozen=True, slots=True)
class LeaseHolder:
    """Who took a lease; what is not known is None. `alive` is whether the process that took it still runs.

    `elsewhere`: its pid is that of another container, whose processes cannot be seen from here.
    """

    pid: int | None
    user: str | None
    workdir: str | None
    since: str | None
    alive: bool
    elsewhere: bool = False

    def __str__(self) -> str:
        who = f"pid {self.pid}" if self.pid else "another process"
        facts = ", ".join(fact for fact in (self.user, self.workdir and f"working in {self.workdir}") if fact)
        if self.elsewhere:
            who += " of another container"
        ended = "" if self.alive or not self.pid else "; it has ended, its worker has not"
        return f"leased by {who}{f' ({facts})' if facts else ''}{ended}"


def holder(uuid: str) -> LeaseHolder | None:
    """Return who has leased a GPU, None if no one has; takes nothing and disturbs no one."""
    try:
        descriptor = os.open(lease_file(uuid), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, StorageError):
        return None
    try:
        # A shared lock is only refused while someone holds the exclusive one.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return _read_holder(descriptor)
    else:
        return None
    finally:
        os.close(descriptor)


def sign(descriptor: int, workdir: Path | None) -> None:
    """Write who holds the lease, in a file that is ours alone; another user's stays as it is."""
    facts = os.fstat(descriptor)
    if facts.st_uid != os.geteuid() or facts.st_nlink != 1:
        return
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    text = {
        "pid": os.getpid(),
        "user": this_user(),
        "workdir": workdir and str(workdir),
        "since": since,
        "namespace": _namespace(),
    }
    # The lease holds without it: a full disk costs only the explanation.
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(text).encode() + b"\n", 0)


def _read_holder(descriptor: int) -> LeaseHolder:
    """Combine what the kernel says of the lock with what its taker wrote, where the two agree."""
    pid = _locker(os.fstat(descriptor).st_ino)
    try:
        written = json.loads(os.pread(descriptor, 4096, 0))
        signed = {key: written[key] for key in ("pid", "user", "workdir", "since")}
        elsewhere = written.get("namespace", _namespace()) != _namespace()
    except (ValueError, KeyError, TypeError):
        signed, elsewhere = {}, False
    if elsewhere and pid is None:
        return LeaseHolder(
            **signed, alive=True, elsewhere=True
        )  # its worker, if not itself: the lock is held
    if signed and (pid is None or signed["pid"] == pid):
        return LeaseHolder(**signed, alive=process_user(signed["pid"]) is not None)
    user = process_user(pid) if pid is not None else user_name(os.fstat(descriptor).st_uid)
    return LeaseHolder(pid, user, None, None, alive=pid is not None and user is not None)


def _namespace() -> str | None:
    """Return the name of this process's pid namespace; a container has its own."""
    try:
        return os.readlink("/proc/self/ns/pid")  # noqa: PTH115
    except OSError:
        return None


def _locker(inode: int) -> int | None:
    """Return the process that took the lock, if the kernel shows it (not from another container)."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/locks").read_text().splitlines():
            # "1: FLOCK  ADVISORY  WRITE 1234 08:01:131090 0 EOF"; on overlay filesystems the device differs.
            match line.split():
                case [_, "FLOCK", _, "WRITE", pid, file, *_] if file.rpartition(":")[2] == str(inode):
                    return int(pid) if int(pid) > 0 else None
    return None
