"""The work directory: whether what is written there stays, and is seen by everyone."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from accsearch.checkpoint.filesystem import mount_of, remark
from accsearch.doctor.finding import Finding, Severity
from accsearch.errors import StorageError

LITTLE_SPACE = 2 << 30


def check_storage(root: Path) -> Iterator[Finding]:
    """Try in the work directory (or where it would be) what runs rely on: write, fsync, rename, flock."""
    folder = next(path for path in (root, *root.parents) if path.is_dir())
    where = "" if folder == root else f" ({root} does not exist yet; tried in {folder})"
    try:
        _try_writing(folder)
    except OSError as error:
        yield Finding("work directory", Severity.ERROR, f"{folder}: {error.strerror}{where}")
    else:
        yield Finding("work directory", Severity.OK, f"{folder}: write, fsync, rename and flock work{where}")
    mount = mount_of(folder)
    try:
        shared = remark(folder, mount)
    except StorageError as error:
        yield Finding("filesystem", Severity.ERROR, str(error))
    else:
        if shared is not None:
            yield Finding("filesystem", Severity.NOTE, shared)
    free = shutil.disk_usage(folder).free
    level = Severity.WARNING if free < LITTLE_SPACE else Severity.OK
    yield Finding("space", level, f"{free / (1 << 30):.1f} GiB free ({mount.kind})")


def _try_writing(folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=".accsearch-doctor-", dir=folder) as trial:
        path = Path(trial, "a")
        with path.open("wb") as file:
            file.write(b"accsearch\n")
            file.flush()
            os.fsync(file.fileno())
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.rename(path.with_name("b"))
