"""The work directory: whether what is written there stays, and is seen by everyone."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from accsearch.doctor.finding import Finding, Severity

NETWORK = {"nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p", "lustre", "gpfs", "beegfs", "ceph"}
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
    kind = filesystem_of(folder)
    if kind in NETWORK:
        yield Finding(
            "filesystem",
            Severity.WARNING,
            f"{kind}: locks may not be seen from other hosts; a run there is found by its signs of life",
        )
    free = shutil.disk_usage(folder).free
    level = Severity.WARNING if free < LITTLE_SPACE else Severity.OK
    yield Finding("space", level, f"{free / (1 << 30):.1f} GiB free ({kind})")


def filesystem_of(folder: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str:
    """Return the type of the filesystem that `folder` is on, "unknown" if the kernel does not say."""
    folder = folder.resolve()
    best, kind = -1, "unknown"
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return kind
    for line in lines:
        left, _, right = line.partition(" - ")
        point = Path(left.split()[4].replace("\\040", " "))
        # A later mount on the same point hides the earlier one.
        if folder.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), right.split()[0]
    return kind


def _try_writing(folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=".accsearch-doctor-", dir=folder) as trial:
        path = Path(trial, "a")
        with path.open("wb") as file:
            file.write(b"accsearch\n")
            file.flush()
            os.fsync(file.fileno())
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.rename(path.with_name("b"))
