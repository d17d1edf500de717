"""Find and end what a worker leaves behind: data loaders, daemons, setsid grandchildren."""

import contextlib
import os
import select
import signal
import time

from accsearch.process_tree import descendants

UNKILLABLE = 30.0
"""Seconds after SIGKILL at which a process stuck in the kernel is given up on."""


def end_descendants(grace: float) -> list[int]:
    """End every descendant of this subreaper, SIGTERM first and SIGKILL after `grace` seconds.

    Returns the pids that even SIGKILL did not end.
    """
    if not _has_children():
        return []
    start = time.monotonic()
    asked: set[int] = set()
    ended: set[int] = set()  # zombies that only their own parent can reap
    while _has_children():
        now = time.monotonic()
        alive = descendants(os.getpid(), zombies=True)  # this process has to reap its own
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
        _reap()
    return []


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


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
