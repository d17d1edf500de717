"""Hashes of large files, kept for the next time in the user's cache folder; losing them costs only time."""

import contextlib
import os
import re
import time
from pathlib import Path

from accsearch.errors import StorageError
from accsearch.workdir import read_json, write_json

MAX_FILES = 4096
SETTLED = 2.0
"""Seconds after a change from which on a later one must have another time.

File systems keep times to a tick of the kernel, some to two seconds; a file that has just been written may be
written once more within the tick.
"""
_HASH = re.compile(r"[0-9a-f]{64}")


class HashCache:
    """Hash by inode, device, size and both times: a change of content changes ctime, whatever `cp -p` keeps."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known = _read(path)
        self._new: dict[str, str] = {}

    @classmethod
    def open(cls) -> "HashCache":
        """Return the user's cache; an empty one where there is no place for it."""
        folder = _cache_folder()
        return cls(None if folder is None else folder / "file-hashes.json")

    def get(self, status: os.stat_result) -> str | None:
        """Return the hash of the file with this status, None if it is not known."""
        key = _key(status)
        return self._new.get(key) or self._known.get(key)

    def put(self, status: os.stat_result, digest: str) -> None:
        """Remember the hash of a file that was not changed in the last moments."""
        if time.time() - status.st_ctime > SETTLED:
            self._new[_key(status)] = digest

    @staticmethod
    def same(one: os.stat_result, other: os.stat_result) -> bool:
        """Say whether nothing was written to a file between two looks at it."""
        return _key(one) == _key(other)

    def save(self) -> None:
        """Add the new hashes to those that others have written meanwhile, where the folder can be written."""
        if self._path is None or not self._new:
            return
        # The last written are kept: dicts are ordered.
        files = {**_read(self._path), **self._new}
        kept = dict(list(files.items())[-MAX_FILES:])
        with contextlib.suppress(OSError, StorageError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_json(self._path, kept, durable=False)


def _read(path: Path | None) -> dict[str, str]:
    try:
        found = (path and read_json(path)) or {}
    except (OSError, ValueError, RecursionError):
        return {}
    return {key: value for key, value in found.items() if isinstance(value, str) and _HASH.fullmatch(value)}


def _key(status: os.stat_result) -> str:
    parts = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return ":".join(map(str, parts))


def _cache_folder() -> Path | None:
    """Return the user's folder for what can be made anew, as the XDG base directory specification says."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(named):  # noqa: PTH117 - a relative one is to be ignored
        return Path(named, "accsearch")
    try:
        return Path.home() / ".cache" / "accsearch"
    except RuntimeError:
        return None
