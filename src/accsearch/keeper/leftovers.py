"""Find and end what a worker leaves behind: data loaders, daemons, setsid grandchildren."""

import contextlib
import os
import select
import signal
import time
from pathlib import Path

from accsearch.process_tree import descendants

UNKILLABLE = 30.0
"""Seconds after SIGKILL at which a process stuck in the kernel is given up on."""


def end_descendants(grace: float, spared: int | None = None) -> list[int]:
    """End every descendant of this subreaper but the child `spared`, SIGTERM first and SIGKILL after `grace` seconds.

    Returns the pids that even SIGKILL did not end.
    """
    if not _has_children(spared):
        return []
    start = time.monotonic()
    asked: set[int] = set()
    ended: set[int] = set()  # zombies that only their own parent can reap
    while _has_children(spared):
        now = time.monotonic()
        # Zombies too: this process has to reap its own.
        alive = [pid for pid in descendants(os.getpid(), zombies=True) if pid != spared]
        if now >= start + grace + UNKILLABLE:
            return alive
        kill = now >= start + grace
        for pid in alive:
            if kill or pid not in asked:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL if kill else signal.SIGTERM)
        asked.update(alive)
        patience = 1.0 if kill else start + grace - now
        ended |= _wait_for_any([pid for pid in alive if pid not in ended], patience)
        _reap(alive)
    return []


def _has_children(spared: int | None) -> bool:
    if spared is not None:
        # One of ours leaves this list only when we reap it, so that none is missed, whoever is forked meanwhile.
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        return any(int(pid) != spared for pid in children)
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _reap(pids: list[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ChildProcessError):  # it is a child's child
            os.waitpid(pid, os.WNOHANG)


def _wait_for_any(pids: list[int], timeout: float) -> set[int]:
    """Wait until one of the processes ends, at most `timeout` seconds; return those that have."""
    poller = select.poll()
    opened: dict[int, int] = {}
    gone: set[int] = set()
    try:
        for pid in pids:
            try:
                descriptor = os.pidfd_open(pid)
            except OSError:
                gone.add(pid)
                continue
            opened[descriptor] = pid
            poller.register(descriptor, select.POLLIN)
        events = poller.poll(0 if gone else max(0.0, timeout) * 1000)
        return gone | {opened[descriptor] for descriptor, _ in events}
    finally:
        for descriptor in opened:
            os.close(descriptor)
