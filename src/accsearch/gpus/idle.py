"""Decide from readings whether a GPU is idle, and whether a worker's GPU is free again; pure."""

from collections.abc import Callable, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from accsearch.gpus.device import ComputeMode, Process, Reading

INTERVAL = 0.5
"""Seconds between two readings of the idle test."""

NOT_JUDGED = "idle; its memory is unknown, so that gpus.min_free_memory cannot be judged"
PROHIBITED = "in compute mode Prohibited, which no CUDA process may use (`nvidia-smi -c 0` ends it)"


class IdleLimits(Protocol):
    """The settings of `gpus` in the configuration that decide; memory in bytes, utilisation in percent."""

    @property
    def max_utilization(self) -> float: ...
    @property
    def max_used_memory(self) -> int: ...
    @property
    def min_free_memory(self) -> int: ...
    @property
    def samples(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a GPU is idle; None while there are too few readings to say."""

    idle: bool | None
    why: str


class IdleTest:
    """Collects readings of one GPU: it is idle after `samples` idle ones in a row, half a second apart."""

    def __init__(self, limits: IdleLimits, describe: Callable[[int], str] = "pid {}".format) -> None:
        self._limits = limits
        self._describe = describe
        self._streak = 0
        self._last: float | None = None
        self._why: str | None = None
        self._judged = True

    def add(self, reading: Reading, now: float) -> None:
        """Take a reading made at `now` (monotonic seconds); an idle one too soon does not count."""
        self._why = busy(reading, self._limits, self._describe)
        self._judged = reading.memory_free is not None
        if self._why is not None:
            self._streak = 0
            self._last = now
        elif self._last is None or now - self._last >= INTERVAL * 0.9:
            self._streak += 1
            self._last = now

    def verdict(self) -> Verdict:
        """Return whether the GPU is idle, by the readings so far."""
        if self._why is not None:
            return Verdict(False, self._why)
        if self._streak < self._limits.samples:
            return Verdict(None, f"{self._streak} of {self._limits.samples} idle readings so far")
        return Verdict(True, "idle" if self._judged else NOT_JUDGED)


def busy(
    reading: Reading, limits: IdleLimits, describe: Callable[[int], str] = "pid {}".format
) -> str | None:
    """Return why a GPU is not idle at this reading, None if it is; unknown utilisation passes."""
    if reading.compute_mode is ComputeMode.PROHIBITED:
        return PROHIBITED
    if reading.compute_mode is ComputeMode.EXCLUSIVE and reading.compute_pids():
        return f"in compute mode {reading.compute_mode}, in use{_holders(reading.processes, describe)}"
    if reading.utilization is not None and reading.utilization > limits.max_utilization:
        return f"utilisation {reading.utilization} %{_holders(reading.processes, describe)}"
    return _occupied(reading, limits, describe)


class ReleaseState(StrEnum):
    FREE = "free"
    LINGERING = "lingering"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Release:
    """Whether a GPU may go to the next task: it is free, still holds memory, or someone else is on it."""

    state: ReleaseState
    why: str


def released(
    reading: Reading,
    before: Reading,
    own_pids: Set[int],
    limits: IdleLimits,
    describe: Callable[[int], str] = "pid {}".format,
) -> Release:
    """Judge a leased GPU between its own tasks, by memory and foreign processes only.

    `before` is the reading at which the GPU was found idle (what ran then is tolerated), `own_pids` are the
    worker's processes. Utilisation is left out: it is an average that still shows the task that just ended.
    """
    own = [process for process in reading.processes if process.pid in own_pids]
    known = before.compute_pids() | own_pids
    foreign = [p for p in reading.processes if not p.graphics and p.pid not in known]
    if foreign:
        return Release(ReleaseState.FOREIGN, f"taken by another process{_holders(foreign, describe)}")
    if own:
        return Release(ReleaseState.LINGERING, f"the worker is still there{_holders(own, describe)}")
    if (why := _occupied(reading, limits, describe)) is not None:
        return Release(ReleaseState.LINGERING, why)
    return Release(ReleaseState.FREE, "free")


def _occupied(reading: Reading, limits: IdleLimits, describe: Callable[[int], str]) -> str | None:
    used, free, total = reading.memory_used, reading.memory_free, reading.memory_total
    if used is None or free is None:
        # Where the driver knows no memory (it is shared with the CPU), only the processes count.
        return f"in use{_holders(reading.processes, describe)}" if reading.compute_pids() else None
    if used > limits.max_used_memory:
        return f"{gib(used)} in use{_holders(reading.processes, describe)}"
    if total is not None and total < limits.min_free_memory:
        return f"has {gib(total)} in total, gpus.min_free_memory asks for {gib(limits.min_free_memory)}"
    if free < limits.min_free_memory:
        return f"only {gib(free)} free, gpus.min_free_memory asks for {gib(limits.min_free_memory)}"
    return None


def _holders(processes: tuple[Process, ...] | list[Process], describe: Callable[[int], str]) -> str:
    """Name the processes, those with most memory first."""
    ranked = sorted(processes, key=lambda process: -(process.memory or 0))
    names = [describe(process.pid) for process in ranked[:3]]
    more = f" and {len(ranked) - 3} more" if len(ranked) > 3 else ""
    return f" by {', '.join(names)}{more}" if names else ""


def gib(size: int) -> str:
    """Write a number of bytes in GiB."""
    return f"{size / (1 << 30):.1f} GiB"
