"""End what an attempt left behind after its keeper died."""

import os
import select
import signal
import time
from collections.abc import Iterable
from pathlib import Path

from accsearch.checkpoint.running_attempt import attempt_of
from accsearch.workdir import TaskPaths

KILL_WAIT = 30.0
"""Seconds to wait for a killed process to disappear."""
LOOKS = 20
LOOK_AGAIN = 0.005
"""How often, and after how many seconds, a process is looked at again that shows no environment."""


def end_attempt(nonce: str, pids: Iterable[int] = ()) -> list[int]:
    """Kill every process of the attempt: `pids`, and all that inherited its ACCSEARCH_NONCE.

    Waits until they are gone; returns those that are not.
    """
    found = _with_nonce(nonce) | set(pids)
    deadline = time.monotonic() + KILL_WAIT
    while found:
        left = _kill(found, deadline)
        if left:
            return sorted(left)
        found = _with_nonce(nonce)  # children that were forked meanwhile
    return []


def orphans_of(paths: TaskPaths, nonce: str) -> list[int]:
    """Return the worker, if any, that outlived the keeper of its attempt; it may have dropped the nonce."""
    attempt = attempt_of(paths, time.time())
    if attempt is None or attempt.running is None or attempt.running.nonce != nonce:
        return []
    return [] if attempt.orphan_pid is None else [attempt.orphan_pid]


def _with_nonce(nonce: str) -> set[int]:
    wanted = f"ACCSEARCH_NONCE={nonce}".encode()
    found: set[int] = set()
    unclear = {int(name) for name in os.listdir("/proc") if name.isdecimal()}  # noqa: PTH208 - names alone
    for _ in range(LOOKS):
        environments = {pid: _environment(pid) for pid in unclear}
        found |= {pid for pid, environment in environments.items() if environment and wanted in environment}
        # A process shows none while it loads a program; one that was started without any never will.
        unclear = {pid for pid, environment in environments.items() if environment == []}
        if not unclear:
            break
        time.sleep(LOOK_AGAIN)
    return found - {os.getpid()}


def _environment(pid: int) -> list[bytes] | None:
    """Return the variables that a process was started with; None for a kernel's, a dead or another user's."""
    try:
        text = Path(f"/proc/{pid}/environ").read_bytes()
        if text:
            return text.split(b"\0")
        memory = Path(f"/proc/{pid}/statm").read_bytes().split()[0]
    except OSError:
        return None
    return None if memory == b"0" else []


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
