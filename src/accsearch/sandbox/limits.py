"""The kernel's limits on one process, and on how many of them a user has."""

import math
import os
import resource
from pathlib import Path

from accsearch.sandbox.rules import Limits


def apply(limits: Limits, *, private_count: bool) -> None:
    """Set the limits for this process and its descendants.

    `private_count` says that the kernel counts this sandbox's processes alone (own user or user namespace);
    otherwise what the user already runs is added.
    """
    tasks = limits.threads if private_count else limits.threads + _tasks_of(os.getuid())
    values = {
        resource.RLIMIT_CPU: processor_seconds(limits),
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_FSIZE: limits.file_bytes,
        resource.RLIMIT_NPROC: tasks,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_AS: resource.RLIM_INFINITY if limits.memory is None else limits.memory,
    }
    for kind, value in values.items():
        _, hard = resource.getrlimit(kind)
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        if value == resource.RLIM_INFINITY:
            bound = hard
        resource.setrlimit(kind, (bound, bound))


def processor_seconds(limits: Limits) -> int:
    """Return the processor time that one process may take."""
    if limits.cpu_seconds is not None:
        return limits.cpu_seconds
    return math.ceil(limits.wall_seconds * (os.cpu_count() or 1))


def _tasks_of(user: int) -> int:
    count = 0
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                if process.stat().st_uid == user:
                    count += len(os.listdir(process / "task"))  # noqa: PTH208
            except OSError:
                # It ended meanwhile.
                continue
    return count
