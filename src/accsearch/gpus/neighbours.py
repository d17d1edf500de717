"""Which processes on a GPU belong to a worker, and whether the worker has to leave it to the others.

Two schedulers that do not share their leases (containers with a /tmp of their own) may start on one GPU at
once, since a worker shows on it only after seconds of imports. Both see the other then, and by the same rule:
who was started first stays.
"""

from collections.abc import Iterable
from pathlib import Path

from accsearch.gpus.device import Process

DEEPEST = 64
"""Ancestors that are looked at; a process tree is never that deep."""


def compute_pids(processes: Iterable[Process]) -> frozenset[int]:
    """Return the processes that compute."""
    return frozenset(process.pid for process in processes if not process.graphics)


def with_ancestor(pids: Iterable[int], root: int) -> set[int]:
    """Return `root`, if it is among `pids`, and those that descend from it, as far as /proc shows them."""
    return {pid for pid in pids if root in _line(pid)}


def with_nonce(pids: Iterable[int], nonce: str) -> set[int]:
    """Return the processes that belong to an attempt: its nonce is in their environment or an ancestor's."""
    wanted = f"ACCSEARCH_NONCE={nonce}".encode()
    return {pid for pid in pids if any(wanted in _environment(each) for each in _line(pid))}


def visible(pids: Iterable[int]) -> set[int]:
    """Return the processes that are alive here; of another container's only a number is known."""
    return {pid for pid in pids if _start(pid) is not None}


def first_come(own: Iterable[int], foreign: Iterable[int]) -> int | None:
    """Return the foreign process that was started before each of `own`; None where we were, or cannot know."""
    ours = [(start, pid) for pid in own if (start := _start(pid)) is not None]
    theirs = [(start, pid) for pid in foreign if (start := _start(pid)) is not None]
    if not ours or not theirs:
        return None
    return min(theirs)[1] if min(theirs) < min(ours) else None


def _line(pid: int) -> list[int]:
    """Return a process and its ancestors, as far as they can be seen from here."""
    found: list[int] = []
    while pid > 1 and len(found) < DEEPEST and (fields := _stat(pid)) is not None:
        found.append(pid)
        pid = int(fields[1])
    return found


def _start(pid: int) -> int | None:
    """Return when a process was started, in clock ticks since boot; None if it is dead or not here."""
    fields = _stat(pid)
    return None if fields is None or fields[0] in "ZXx" else int(fields[19])


def _stat(pid: int) -> list[str] | None:
    """Return the fields of a process that follow its name: state, parent, ..."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None


def _environment(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []
