"""Signal a group of processes, and end them all."""

import contextlib
import os
import signal
import time
from collections.abc import Callable

PASSES = 100
PAUSE = 0.01


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
