"""Jobs for runners, and what comes of them."""

import os
import select
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from accsearch.checkpoint.markers import Running, read_running
from accsearch.executors.executor import Ended, Event, Job, Runner
from accsearch.task import Task
from accsearch.workdir import TaskPaths

TASK = Task("T", "c", {}, "digest")


def job(paths: TaskPaths, argv: Sequence[str], **changes: Any) -> Job:
    fields: dict[str, Any] = {
        "task": TASK,
        "attempt": 1,
        "nonce": "n1",
        "argv": argv,
        "env": {"ACCSEARCH_NONCE": "n1"},
        "cwd": str(paths.log.parent),
        "paths": paths,
        "old_log": paths.log_of(changes.get("attempt", 1) - 1, frozenset()),
        "gpu": None,
        "batch_size": 4,
        "timeout": None,
        "stall_timeout": None,
        "grace": 5.0,
    }
    return Job(**fields | changes)


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def wait(runner: Runner) -> list[Event]:
    """Return the next events; fails the test if none comes."""
    assert select.select([runner], [], [], 60)[0], "no event"
    return runner.read()


def ended(runner: Runner) -> Ended:
    (event,) = wait(runner)
    assert isinstance(event, Ended)
    return event


def await_file(path: Path) -> None:
    """Return once a worker has made `path`: it is a FIFO that the worker opens for writing."""
    path.read_bytes()


def running_of(paths: TaskPaths) -> Running:
    running = read_running(paths.running)
    assert running is not None
    return running


def is_gone(pid: int) -> bool:
    """Wait for a process to end; returns whether it did."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 30)[0])
    finally:
        os.close(descriptor)
