"""The file system of a work directory: what can be trusted there, by its type, its mount options and a trial.

What a run relies on is that a file can be made by one process alone (O_EXCL), that a rename replaces a file as a whole,
and that other hosts see both. Locks (flock) only shorten the wait: who holds a work directory shows that by signs of
life in a file (heartbeat.py), which needs no lock, and another host takes over after SILENCE seconds without one.
"""

import contextlib
import errno
import fcntl
import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from accsearch.checkpoint.heartbeat import BEAT, SILENCE
from accsearch.errors import StorageError
from accsearch.workdir import TEMPORARY

OF_ONE_HOST = {
    "ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "tmpfs", "ramfs", "overlay", "f2fs", "bcachefs", "reiserfs", "jfs",
    "vfat", "exfat", "ntfs3",
}  # fmt: skip
"""File systems that no other host writes to, and that do what is said of them; others are tried."""
NO_LOCKS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}
"""What a file system answers that has no locks."""
_LOCAL_LOCKS = {"nolock", "local_lock=all", "local_lock=flock", "localflock", "nobrl"}
"""Options of NFS, Lustre and CIFS with which a lock holds on one host only."""
_COMMON_LOCKS = {"nfs", "nfs4", "lustre", "gpfs", "ceph", "ocfs2", "gfs2"}
"""Those whose locks hold between hosts unless an option says otherwise."""


class Locks(Enum):
    """How far a lock reaches."""

    NONE = "there are no locks"
    ONE_HOST = "locks hold on one host only"
    UNKNOWN = "locks may hold on one host only"
    ALL_HOSTS = "locks hold between hosts"


@dataclass(frozen=True, slots=True)
class Mount:
    """A file system as it is mounted: its type ("unknown" if the kernel does not say) and its options."""

    kind: str
    options: frozenset[str] = frozenset()


def mount_of(folder: Path, mounts: Path = Path("/proc/self/mountinfo")) -> Mount:
    """Return the file system that `folder` is on."""
    folder = folder.resolve()
    best, found = -1, Mount("unknown")
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return found
    for line in lines:
        left, _, right = line.partition(" - ")
        point = Path(left.split()[4].replace("\\040", " "))
        # A later mount on the same point hides the earlier one.
        if folder.is_relative_to(point) and len(point.parts) >= best:
            options = f"{left.split()[5]},{right.split()[-1]}"
            best, found = len(point.parts), Mount(right.split()[0], frozenset(options.split(",")))
    return found


def remark(folder: Path, mount: Mount | None = None) -> str | None:
    """Try a folder that other hosts may share; say in one line what holds there and what is done about it.

    Returns None for a file system of one host. Raises StorageError where the folder cannot be a work directory.
    """
    mount = mount or mount_of(folder)
    if mount.kind in OF_ONE_HOST:
        return None
    reach = _reach(mount, have_locks=try_out(folder))
    why = sorted(mount.options & _LOCAL_LOCKS)
    name = f"{mount.kind} ({', '.join(why)})" if why else mount.kind
    return (
        f"{folder}: {name}: renames are whole and {reach.value}; who works here shows that by "
        f"a sign of life every {BEAT:.0f} s, and is taken over after {SILENCE:.0f} s without one"
    )


def try_out(folder: Path) -> bool:
    """Make, replace and lock a file as runs do; return whether there are locks. Raises StorageError."""
    file, other = (folder / f".probe-{name}.{os.getpid()}{TEMPORARY}" for name in ("a", "b"))
    try:
        try:
            with file.open("xb") as first:
                first.write(b"first\n")
                if _can_be_made(file):
                    raise StorageError(f"{folder}: two processes can make one file (O_EXCL does not hold)")
                other.write_bytes(b"second\n")
                other.rename(file)
                if file.read_bytes() != b"second\n" or other.exists():
                    raise StorageError(f"{folder}: a rename does not replace a file as a whole")
            return _try_lock(file)
        finally:
            for each in (file, other):
                each.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"{error.filename or folder}: {error.strerror}") from error


def _can_be_made(file: Path) -> bool:
    with contextlib.suppress(FileExistsError):
        file.touch(exist_ok=False)
        return True
    return False


def _try_lock(file: Path) -> bool:
    """Return whether a lock keeps others out."""
    with file.open("rb+") as first, file.open("rb+") as second:
        try:
            fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in NO_LOCKS:
                return False
            raise
        try:
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _reach(mount: Mount, *, have_locks: bool) -> Locks:
    if not have_locks:
        return Locks.NONE
    if mount.options & _LOCAL_LOCKS:
        return Locks.ONE_HOST
    return Locks.ALL_HOSTS if mount.kind in _COMMON_LOCKS else Locks.UNKNOWN
