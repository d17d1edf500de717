"""Who is recorded as at work in a work directory: schedulers and attempts, here and on other hosts."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from accsearch.checkpoint.markers import SUBMITTED, DamagedMarker, Running, read_running
from accsearch.errors import StorageError
from accsearch.process_identity import host_name, is_alive, is_this_machine
from accsearch.workdir import RUNNING, WorkDir


@dataclass(frozen=True, slots=True)
class Holder:
    """The scheduler that a lock file names."""

    pid: int
    create_time: float | None
    identity: str | None
    host: str | None = None
    namespace: str | None = None

    @property
    def is_here(self) -> bool:
        """Whether its pid means something to this process."""
        return self.host is None or is_this_machine(self.host, self.identity, self.namespace)

    def is_alive(self) -> bool:
        """Return whether it runs; of one on another host that is not known."""
        return is_alive(self.pid, self.create_time, self.identity)

    def __str__(self) -> str:
        return (
            f"pid {self.pid}" if self.host in (None, host_name()) else f"pid {self.pid} on host {self.host}"
        )


@dataclass(slots=True)
class AtWork:
    """What is recorded as at work on one other host; its tasks as CONFIG/TASK with their markers."""

    holder: Holder | None = None
    tasks: dict[str, Path] = field(default_factory=dict)


def read_holder(workdir: WorkDir) -> Holder | None:
    """Return whom the lock file names, alive or not; None without one."""
    try:
        content: dict[str, Any] = json.loads(workdir.lock.read_bytes())
        return Holder(
            int(content["pid"]),
            content["create_time"],
            content["identity"],
            content.get("host"),
            content.get("namespace"),
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    except OSError as error:
        raise StorageError(f"{workdir.lock}: {error.strerror}") from error


def runs_here(running: Running) -> bool:
    """Return whether an attempt's pids mean something to this process."""
    return is_this_machine(running.host, running.identity, running.namespace)


def other_hosts(workdir: WorkDir) -> dict[str, AtWork]:
    """Return what is recorded as at work on each other host, by its name."""
    found: dict[str, AtWork] = {}
    holder = read_holder(workdir)
    if holder is not None and holder.host is not None and not holder.is_here:
        found.setdefault(holder.host, AtWork()).holder = holder
    for name, path in workdir.marked(RUNNING):
        try:
            running = read_running(path)
        except DamagedMarker:
            continue
        if running is not None and running.pid != SUBMITTED and not runs_here(running):
            found.setdefault(running.host, AtWork()).tasks[name] = path
    return found
