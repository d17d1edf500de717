"""What the processes of a sandbox hold beside files that have a name: memory, and files deleted but open."""

import os
import re
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path

_HELD = re.compile(rb"^(?:RssAnon|RssShmem|VmSwap):\s+(\d+) kB", re.MULTILINE)
_SHARES = re.compile(rb"^(?:Pss_Anon|Pss_Shmem|SwapPss):\s+(\d+) kB", re.MULTILINE)


def memory_of(pids: Sequence[int], limit: int) -> int:
    """Return the bytes of memory that processes hold; pages of files, which can be had again, do not count.

    Memory that processes share is counted once only beyond `limit`, since finding it takes long.
    """
    held = {pid: _kilobytes(f"/proc/{pid}/status", _HELD) or 0 for pid in pids}
    if sum(held.values()) * 1024 <= limit:
        return sum(held.values()) * 1024
    shares = {pid: _kilobytes(f"/proc/{pid}/smaps_rollup", _SHARES) for pid in pids}
    return 1024 * sum(held[pid] if share is None else share for pid, share in shares.items())


def deleted_files(pids: Iterable[int]) -> int:
    """Return the bytes on disk of files without a name that processes hold open."""
    found: dict[tuple[int, int], int] = {}
    for pid in pids:
        try:
            opened = os.listdir(f"/proc/{pid}/fd")  # noqa: PTH208 - every second
        except OSError:
            # It ended, or may not be looked into.
            continue
        for number in opened:
            try:
                status = os.stat(f"/proc/{pid}/fd/{number}")  # noqa: PTH116
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode) and status.st_nlink == 0:
                found[status.st_dev, status.st_ino] = status.st_blocks * 512
    return sum(found.values())


def _kilobytes(path: str, lines: re.Pattern[bytes]) -> int | None:
    """Return the sum of the lines, None where the file cannot be read or has none of them."""
    try:
        numbers = lines.findall(Path(path).read_bytes())
    except OSError:
        return None
    return sum(map(int, numbers)) if numbers else None
