"""Processes below another one, read from /proc; imports no more than the keeper may load."""

import os
from collections.abc import Iterator


def each_stat() -> Iterator[tuple[int, list[bytes]]]:
    """Yield the pid of every process and the fields of its /proc/PID/stat after the name: state, parent, …"""
    for entry in os.listdir("/proc"):  # noqa: PTH208 - many times a second
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", "rb", buffering=0) as file:  # noqa: PTH123
                    text = file.read()
            except OSError:
                # It ended meanwhile.
                continue
            yield int(entry), text[text.rindex(b")") + 2 :].split()


def descendants(root: int, *, zombies: bool = False) -> list[int]:
    """Return the living processes below `root`, parents before their children; on request with zombies."""
    children: dict[int, list[int]] = {}
    for pid, (state, parent, *_) in each_stat():
        if zombies or state not in (b"Z", b"X"):
            children.setdefault(int(parent), []).append(pid)
    found: list[int] = []
    pending = [root]
    while pending:
        below = children.get(pending.pop(), [])
        found += below
        pending += below
    return found
