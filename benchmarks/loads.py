"""The loads of the scheduling benchmark, and what an ideal scheduler would make of them."""

import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Load:
    """Tasks in the order in which they are handed over: axis values of each, and its milliseconds."""

    name: str
    axes: dict[str, list[str]]
    milliseconds: dict[str, float]

    @property
    def ids(self) -> list[str]:
        return list(self.milliseconds)


def flat(name: str, milliseconds: Sequence[float]) -> Load:
    """A load whose task names say nothing about their times."""
    ids = [f"t{index:04d}" for index in range(len(milliseconds))]
    return Load(name, {"t": ids}, dict(zip(ids, milliseconds, strict=True)))


def noop(count: int = 1000) -> Load:
    return flat(f"{count} no-op", [0.0] * count)


def equal(count: int = 200, milliseconds: float = 50.0) -> Load:
    return flat(f"{count} x {milliseconds:g} ms", [milliseconds] * count)


def mixed(count: int = 40, seed: int = 7) -> Load:
    """Tasks of 0.1 to 2 s, log-uniform, from a fixed seed."""
    draw = random.Random(seed)
    return flat(f"{count} mixed 0.1-2 s", [100.0 * 20.0 ** draw.random() for _ in range(count)])


def grid() -> Load:
    """A grid whose times follow steps x pipeline, in the order in which people write one: small first."""
    pipes = {"SD1.5": 1.0, "SD2.1": 1.4, "SDXL": 5.0}
    scheds = ["DDIM", "PNDM", "DPMSolverMultistep", "EulerDiscrete", "UniPCMultistep"]
    steps = [10, 20, 50]
    times = {f"{p}_{s}_{n}": 8.0 * pipes[p] * n for p in pipes for s in scheds for n in steps}
    return Load(
        "45-cell grid", {"pipe": list(pipes), "sched": scheds, "steps": [str(n) for n in steps]}, times
    )


def lower_bound(load: Load, slots: int) -> float:
    """Return max(sum / slots, longest), seconds."""
    times = load.milliseconds.values()
    return max(sum(times) / slots, max(times)) / 1000.0


def longest_first(load: Load, slots: int) -> float:
    """Return the makespan of longest-first with true times and no overhead, seconds."""
    ends = [0.0] * slots
    for time in sorted(load.milliseconds.values(), reverse=True):
        heapq.heapreplace(ends, ends[0] + time)
    return max(ends) / 1000.0
