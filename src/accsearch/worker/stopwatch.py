"""Time a trial against the baseline, the two in turn on the same batch."""

import gc
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from accsearch.config.schema import WorkerConfig
from accsearch.worker.machine import Machine
from accsearch.worker.methods.session import Applied
from accsearch.worker.paired_times import Speedup, is_stable, pairs_needed, speedup

Run = Callable[[], torch.Tensor]
Seconds = Callable[[], float]
"""Run something once and return how long it took."""
EXTRA_WARM_UPS = 3


@dataclass(frozen=True)
class Times:
    """Seconds of each run of a batch, in the order measured, and what they say of the speed-up."""

    trial: tuple[float, ...]
    baseline: tuple[float, ...]
    speedup: Speedup


def timed(machine: Machine, run: Run, *, counts: bool = True) -> tuple[torch.Tensor, float]:
    """Return what `run` makes, and the seconds until the device has finished it; meanwhile no garbage is collected.

    The machine's meter adds them up where the run `counts`, as one does that only warms up does not.
    """
    machine.synchronize()
    collects = gc.isenabled()
    gc.disable()
    try:
        start = time.perf_counter()
        if machine.meter.began is None:
            machine.meter.began = start
        with torch.inference_mode():
            made = run()
        machine.synchronize()
        seconds = time.perf_counter() - start
        if counts:
            machine.meter.seconds += seconds
        return made, seconds
    finally:
        if collects:
            gc.enable()


def warm_up(machine: Machine, run: Run, at_least: int, before: Sequence[float] = ()) -> None:
    """Run until times are stable, `at_least` that often and only a few times more.

    `before` are the times of equal runs just made, which count.
    """
    times = list(before)
    most = max(at_least, len(times)) + EXTRA_WARM_UPS
    while len(times) < at_least or (not is_stable(times) and len(times) < most):
        times.append(timed(machine, run, counts=False)[1])


def race(
    machine: Machine,
    applied: Applied,
    trial: Run,
    baseline: Run,
    settings: WorkerConfig,
    enough: Callable[[], bool] = lambda: False,
) -> Times:
    """Measure pairs of trial and baseline until the speed-up's interval is narrow enough, the cap, or `enough`."""

    def accelerated() -> float:
        # What follows an exchange of the pipeline's parts, and runs beside the copy of them that is kept meanwhile,
        # is a little slower: then the trial has both too.
        with applied.suspended():
            pass
        kept = applied.snapshot()
        seconds = timed(machine, trial)[1]
        del kept
        return seconds

    def plain() -> float:
        with applied.suspended():
            return timed(machine, baseline)[1]

    return in_turn(accelerated, plain, settings, enough)


def in_turn(
    trial: Seconds, baseline: Seconds, settings: WorkerConfig, enough: Callable[[], bool] = lambda: False
) -> Times:
    """Time two things in pairs until the interval of their ratio is narrow enough, or the cap.

    Which one goes first alternates from pair to pair, so that a steady drift cancels. Past the first `repeats` pairs
    it also ends once `enough`, which must not depend on the times' ratio, says so.
    """
    trials: list[float] = []
    baselines: list[float] = []

    def measure(pairs: int) -> None:
        while len(trials) < pairs and not (len(trials) >= pilot and enough()):
            if len(trials) % 2 == 0:
                baselines.append(baseline())
                trials.append(trial())
            else:
                trials.append(trial())
                baselines.append(baseline())

    def ratios() -> list[float]:
        return [math.log(base / own) for base, own in zip(baselines, trials, strict=True)]

    pilot, cap = settings.repeats, max(settings.repeats, settings.max_repeats)
    needed = pilot
    while len(trials) < needed:
        measure(needed)
        if len(trials) < needed:
            break
        needed = pairs_needed(ratios(), pilot, settings.ci_width, cap)
    return Times(tuple(trials), tuple(baselines), speedup(ratios(), pilot, cap))
