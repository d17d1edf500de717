"""Signs of life in a work directory that several hosts see, independent of their clocks.

Who owns a marker (a keeper its `.running`, a scheduler its lock file) overwrites it in place every BEAT seconds.
Another host takes over only what it has itself watched for SILENCE seconds without a change, and who has
been taken for dead finds another's marker, or none, in place of its own. Written in place and read through a
fresh `open`, which is what NFS keeps consistent.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accsearch.workdir import TaskPaths, encode_json

BEAT = 5.0
"""Seconds between two signs of life."""
SILENCE = 60.0
"""Seconds without one after which another host may take over."""
LOOK = 2.0
"""Seconds between two looks at what another host owns."""
_PAGE = 4096


def with_beat(value: dict[str, Any], number: int) -> bytes:
    """Return a marker with the number of its sign of life, whose size does not depend on it."""
    return encode_json({**value, "beat": f"{number:010d}"})


def is_owned(path: Path, owner: str) -> bool:
    """Return whether the marker still holds its owner's name; one that cannot be read now is taken for owned."""
    try:
        return owner.encode() in path.read_bytes()
    except FileNotFoundError:
        return False
    except OSError:
        return True


def renew(path: Path, owner: str, content: bytes) -> bool:
    """Overwrite the owner's marker in place, within one page; return False if it is not the owner's any more.

    No death of a process tears that, and a second rename would cost a flush. Raises OSError.
    """
    try:
        marker = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        if owner.encode() not in os.read(marker, _PAGE):
            return False
        os.pwrite(marker, content, 0)
        return True
    finally:
        os.close(marker)


@dataclass(slots=True)
class _Seen:
    signs: tuple[Any, ...]
    looked_at: float
    silent: float = 0.0
    changed: bool = False


class Watch:
    """For how long files have not changed, by this process' own looks and monotonic clock."""

    def __init__(self) -> None:
        self._seen: dict[Path, _Seen] = {}

    def look(self, marker: Path, now: float, others: Sequence[Path] = ()) -> float:
        """Return for how many seconds neither the marker's content nor the other files' sizes have changed.

        Only time in which it was looked often counts: a process that slept itself has seen no silence. Nor
        does a look that failed.
        """
        try:
            signs = (marker.read_bytes(), *(_sign(path) for path in others))
        except OSError:
            return self._seen[marker].silent if marker in self._seen else 0.0
        seen = self._seen.get(marker)
        if seen is None:
            self._seen[marker] = _Seen(signs, now)
            return 0.0
        if seen.signs == signs:
            seen.silent += min(now - seen.looked_at, 2 * LOOK)
        else:
            seen.signs, seen.silent, seen.changed = signs, 0.0, True
        seen.looked_at = now
        return seen.silent

    def look_at_task(self, paths: TaskPaths, now: float) -> float:
        """Return for how many seconds an attempt has shown no sign of life: in its marker, log or results."""
        return self.look(paths.running, now, (paths.log, paths.results))

    def is_alive(self, marker: Path) -> bool:
        """Return whether the marker has been seen to change."""
        return marker in self._seen and self._seen[marker].changed


def _sign(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns
