"""Where the lock files of leases are, and how they are opened safely in a folder that all users share."""

import contextlib
import errno
import os
import re
import stat
import tempfile
from pathlib import Path

from accsearch.errors import StorageError

SHARED_FOLDER = Path("/tmp/accsearch-leases")
FOLDER_VARIABLE = "ACCSEARCH_LEASES"
"""Names the folder that all schedulers of a host share where they do not share /tmp, as in containers."""
OLDER_VARIABLE = "ACCSEARCH_LEASE_DIR"


def lease_folder() -> Path:
    """Return the folder of the lock files: one for all users, unless the environment names another.

    Makes it where it is absent, so that every user may add files and none may remove another's (mode 1777).
    Raises StorageError if it is something else, or if others could not or should not use it.
    """
    named = os.environ.get(FOLDER_VARIABLE) or os.environ.get(OLDER_VARIABLE)
    folder = Path(named) if named else SHARED_FOLDER
    try:
        with contextlib.suppress(FileNotFoundError):
            return _checked(folder, folder.lstat())
        _make(folder, 0o1777)
        return _checked(folder, folder.lstat())
    except OSError as error:
        raise StorageError(f"lease folder {folder}: {hint(error)}") from error


def _make(folder: Path, mode: int) -> None:
    """Make a folder that has its mode, whatever the umask, from the moment it can be seen."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    trial = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    try:
        trial.chmod(mode)
        trial.rename(folder)
    except OSError:
        trial.rmdir()
        # Another process was first.
        if not folder.is_dir():
            raise


def _checked(folder: Path, facts: os.stat_result) -> Path:
    if not stat.S_ISDIR(facts.st_mode):
        raise OSError(errno.ENOTDIR, "not a folder", str(folder))
    shared = facts.st_mode & stat.S_IWOTH
    if shared and not facts.st_mode & stat.S_ISVTX:
        raise StorageError(
            f"lease folder {folder}: anyone may remove files in it; its owner should `chmod 1777` it"
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StorageError(f"lease folder {folder}: not writable; remove it or set {FOLDER_VARIABLE}")
    return folder


def lease_file(uuid: str) -> Path:
    """Return the lock file of a GPU; raises StorageError as `lease_folder` does."""
    # Older MIG names contain slashes.
    return lease_folder() / f"{re.sub(r'[^A-Za-z0-9.-]', '_', uuid)}.lock"


def open_lock_file(path: Path) -> int:
    """Open a lock file, made on first use; another user's only for reading, which is enough to lock it."""
    flags = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    while True:
        # Without O_CREAT, which the kernel refuses on another user's file in a sticky folder
        # (fs.protected_regular).
        for access in (os.O_RDWR, os.O_RDONLY):
            try:
                return _regular(os.open(path, access | flags), path)
            except PermissionError:
                if access == os.O_RDONLY:
                    raise
            except FileNotFoundError:
                break
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | flags, 0o644)
            os.fchmod(descriptor, 0o644)
            return descriptor


def _regular(descriptor: int, path: Path) -> int:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return descriptor


def hint(error: OSError) -> str:
    """Say what is wrong with a lock file or its folder."""
    if error.errno in (errno.ELOOP, errno.EINVAL, errno.ENOTDIR):
        return f"not a plain file or folder; remove it or set {FOLDER_VARIABLE}"
    return error.strerror or str(error)
