"""End what an attempt left behind after its keeper died."""

import contextlib
import os
import select
import signal
import time
from pathlib import Path

KILL_WAIT = 30.0
"""Seconds to wait for a killed process to disappear."""


def end_attempt(nonce: str, pid: int | None = None) -> list[int]:
    """Kill every process of the attempt: `pid`, if given, and all that inherited its ACCSEARCH_NONCE.

    Waits until they are gone; returns those that are not.
    """
    found = _with_nonce(nonce) | ({pid} if pid is not None else set())
    deadline = time.monotonic() + KILL_WAIT
    while found:
        left = _kill(found, deadline)
        if left:
            return sorted(left)
        found = _with_nonce(nonce)  # children that were forked meanwhile
    return []


def _with_nonce(nonce: str) -> set[int]:
    wanted = f"ACCSEARCH_NONCE={nonce}".encode()
    found = set()
    for name in os.listdir("/proc"):  # noqa: PTH208 - names alone
        if name.isdecimal():
            # Another user's process, or one that has just ended.
            with contextlib.suppress(OSError):
                if wanted in Path(f"/proc/{name}/environ").read_bytes().split(b"\0"):
                    found.add(int(name))
    return found - {os.getpid()}


def _kill(pids: set[int], deadline: float) -> set[int]:
    """Kill the processes, wait for each until the deadline, return those still there."""
    left = set()
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            poller = select.poll()
            poller.register(descriptor, select.POLLIN)
            if not poller.poll(max(0.0, deadline - time.monotonic()) * 1000):
                left.add(pid)
        except ProcessLookupError:
            continue
        finally:
            os.close(descriptor)
    return left
