"""How much of the processor's time other processes take while this one measures, from /proc."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from accsearch.cores import THREADS, shared_settings, usable_cores
from accsearch.process_tree import each_stat

LOOK = 0.5
"""Seconds that a look at the load takes; the kernel counts in hundredths."""

SHORTEST = 0.2
"""Below so many seconds the kernel's hundredths say too little."""

_STAT = Path("/proc/stat")


@dataclass(frozen=True, slots=True)
class _Counts:
    """Seconds since the machine started: of the cores that this process may use, and of this process's tree."""

    at: float
    busy: float
    total: float
    own: float


class LoadMeter:
    """Measures from when it is made to when it is asked."""

    def __init__(self) -> None:
        self._start = _counts()

    def others(self) -> float | None:
        """Return how many cores other processes kept busy on average; None after too short a time, or unknown.

        Counted are the cores that this process may use. Its descendants are not others; time that a hypervisor
        withheld is.
        """
        end = _counts()
        if self._start is None or end is None or end.at - self._start.at < SHORTEST:
            return None
        elapsed = end.at - self._start.at
        if end.total - self._start.total <= 0:
            # Some sandboxes show a /proc/stat that stands still.
            return None
        return max(0.0, (end.busy - self._start.busy - (end.own - self._start.own)) / elapsed)

    def others_soon(self, at_least: float = LOOK) -> float | None:
        """Return `others`, waiting until the meter has run for `at_least` seconds."""
        if self._start is None:
            return None
        time.sleep(max(0.0, self._start.at + at_least - time.monotonic()))
        return self.others()


def settings_now(given: Mapping[str, str]) -> dict[str, str]:
    """Return the thread settings of a process that is to compute on the cores that are free now.

    `given` is its environment, whose own settings stand; without a number of threads there, this takes LOOK seconds.
    """
    others = None if THREADS[0] in given else LoadMeter().others_soon()
    return shared_settings(usable_cores(), others, given)


def _counts() -> _Counts | None:
    try:
        lines = _STAT.read_text().splitlines()
    except OSError:
        return None
    tick = os.sysconf("SC_CLK_TCK")
    names = {f"cpu{number}" for number in os.sched_getaffinity(0)}
    busy = total = 0
    for line in lines:
        name, *fields = line.split()
        if name in names:
            # user nice system idle iowait irq softirq steal; the two that follow are counted in user already.
            counts = [int(each) for each in fields[:8]]
            total += sum(counts)
            busy += sum(counts) - sum(counts[3:5])
    return _Counts(time.monotonic(), busy / tick, total / tick, tree_ticks(os.getpid()) / tick)


def tree_ticks(root: int) -> int:
    """Return the clock ticks that a process, its living descendants and those they have waited for have used."""
    parents: dict[int, int] = {}
    used: dict[int, int] = {}
    for pid, fields in each_stat():
        parents[pid] = int(fields[1])
        used[pid] = sum(map(int, fields[11:15]))
    return sum(ticks for pid, ticks in used.items() if _is_below(pid, root, parents))


def _is_below(pid: int, root: int, parents: dict[int, int]) -> bool:
    while pid in parents and pid != root:
        pid = parents[pid]
    return pid == root
