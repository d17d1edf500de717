"""A process with all that it started, read from /proc."""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

PASSES = 100
PAUSE = 0.01


def descendants(root: int) -> list[int]:
    """Return the living processes below `root`, zombies left out."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):  # noqa: PTH208 - many times a second
        if entry.isdigit():
            try:
                text = Path(f"/proc/{entry}/stat").read_bytes()
            except OSError:
                # It ended meanwhile.
                continue
            state, parent = text[text.rindex(b")") + 2 :].split()[:2]
            if state not in (b"Z", b"X"):
                children.setdefault(int(parent), []).append(int(entry))
    found: list[int] = []
    pending = [root]
    while pending:
        below = children.get(pending.pop(), [])
        found += below
        pending += below
    return found


def send(pids: list[int], number: signal.Signals) -> None:
    """Send a signal to processes, some of which may have ended."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def end_all(find: Callable[[], list[int]]) -> None:
    """Kill the processes that `find` returns until it returns none.

    They are stopped first, so that what is killed has no child that escapes by starting another.
    """
    for _ in range(PASSES):
        found = find()
        if not found:
            return
        send(found, signal.SIGSTOP)
        send(found, signal.SIGKILL)
        # Killed processes stay for a moment; there is nothing to wait on for those of others.
        time.sleep(PAUSE)
