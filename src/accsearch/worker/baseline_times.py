"""The baseline's times through an attempt, and the speed-up of a trial whose batches were timed once.

The logarithm of a run's time is taken as that of what runs, plus the machine's state (clock, heat, neighbours), plus
noise of the run alone. A trial's runs follow each other within seconds, so they may all share one state that no run of
the baseline had. How far apart states lie is known from the baseline alone: from the spread of its first runs, and
from probes, single runs between trials, each compared with the level expected of it. The root mean square of these
deviations is taken as the standard deviation of the state. It holds the noise of single runs too, so that an interval
is rather too wide than too narrow.

The centre of an interval is the mean of log(baseline / trial) over the trial's runs, each with the baseline's run of
the same prompts, corrected by how far the baseline's level has moved since. Its half-width is the root of the sum of
two squares: Student's t for the mean of these logarithms, and Student's t for the states of both sides. If a probe lies
further out than the deviations so far explain, and so does the run after it, the machine has changed: the baseline is
measured again, and trials since the last probe, of which nobody knows on which side of the change they ran, get an
interval that reaches from one level to the other.
"""

import math
from collections import deque
from collections.abc import Callable, Sequence
from statistics import fmean, median
from typing import NamedTuple

from accsearch.result_lines.stats import t_quantile
from accsearch.worker.paired_times import Speedup, trimmed_mean

RISK = 0.05
"""How often an interval may miss the truth."""
CHANGE_RISK = 0.01
"""How often a probe of a steady machine may count as a change."""
REMEMBERED = 24
"""Deviations that count, so that what a machine did long ago is forgotten."""
FEWEST_TO_KNOW = 2
"""Fewest logarithms of which a spread is known."""
GAIN = 0.5
"""What share of its distance from the level a probe moves it (exponential smoothing): a level follows a machine that
warms up, and costs little where nothing moves, since the machine's state is the larger part of an interval."""


class Timed(NamedTuple):
    """One run: the number of its batch of prompts, and its seconds."""

    batch: int
    seconds: float


class Change(NamedTuple):
    """The logarithms of the baseline's levels before and after a change of the machine."""

    before: float
    after: float


class BaselineTimes:
    """Runs of the baseline, all of one batch size: those of the start, and those made since."""

    def __init__(self, runs: Sequence[Timed]) -> None:
        logs = [math.log(run.seconds) for run in runs]
        self.runs = list(runs)
        self._start = fmean(logs)
        self._batches = {number: fmean(_logs_of(runs, number)) for number in {run.batch for run in runs}}
        self.level = self._start
        """The logarithm of a batch's seconds as expected now."""
        self._variance = 1 / len(logs)
        """Of the level, in units of a single run's."""
        self._squares: deque[float] = deque(maxlen=REMEMBERED)
        self.levels = [self._start]
        self._add_spread(logs)

    @property
    def seconds(self) -> float:
        """Seconds of a batch as expected now."""
        return math.exp(self.level)

    @property
    def drift(self) -> float:
        """The level now over that at the attempt's start."""
        return math.exp(self.level - self._start)

    @property
    def total_drift(self) -> float | None:
        """The longest level over the shortest, None before there are two."""
        return math.exp(max(self.levels) - min(self.levels)) if len(self.levels) > 1 else None

    @property
    def deviation(self) -> float | None:
        """The standard deviation of the machine's state, as a logarithm; None where no two runs are known."""
        return math.sqrt(fmean(self._squares)) if self._squares else None

    @property
    def state_error(self) -> float:
        """The standard error that the log-ratios of one trial's runs share, of the states of both sides.

        Infinite where no two runs are known.
        """
        known = self.deviation
        return math.inf if known is None else known * math.sqrt(1 + self._variance)

    def partner(self, batch: int) -> float:
        """Return the seconds that the baseline would take now for the prompts of `batch`."""
        return math.exp(self._batches.get(batch, self._start) + self.level - self._start)

    def probe(self, run: Callable[[], Timed]) -> bool:
        """Take in a single run between trials; return whether it shows that the machine has changed.

        Where it lies far out, a second run follows: a disturbance that is over by then is no change.
        """
        probes = [run()]
        if self._is_far(probes[0]):
            probes.append(run())
        far = [self._is_far(each) for each in probes]
        for each, is_far in zip(probes, far, strict=True):
            self._take(each, moves=not is_far)
        return all(far)

    def _is_far(self, run: Timed) -> bool:
        """Say whether a run lies further from the level than the deviations so far explain."""
        known = self.deviation
        if known is None:
            return False
        off = abs(math.log(run.seconds) - self.level)
        return off > self._quantile(CHANGE_RISK) * known * math.sqrt(1 + self._variance)

    def _take(self, run: Timed, *, moves: bool) -> None:
        """Remember how far a run lies from the level, which it then `moves`."""
        off = math.log(run.seconds) - self.level
        self.runs.append(run)
        self._squares.append(off**2 / (1 + self._variance))
        if moves:
            self.level += GAIN * off
            self._variance = (1 - GAIN) ** 2 * self._variance + GAIN**2
            self.levels.append(self.level)

    def beside(self, seconds: Sequence[float]) -> float:
        """Take in runs that were timed in turn with a trial; return their median over the level at the start."""
        middle = math.log(median(seconds))
        self.runs += [Timed(0, each) for each in seconds]
        self.levels.append(middle)
        return math.exp(middle - self._start)

    def remeasure(self, runs: Sequence[Timed]) -> Change:
        """Take the level from `runs` alone, made after a change, and return both levels."""
        before, logs = self.level, [math.log(run.seconds) for run in runs]
        self.runs += runs
        self.level, self._variance = fmean(logs), 1 / len(logs)
        self._add_spread(logs)
        self.levels.append(self.level)
        return Change(before, self.level)

    def speedup(self, runs: Sequence[Timed], change: Change | None = None) -> Speedup:
        """Return the speed-up of a trial that took `runs` now, or between the two levels of `change`."""
        ratios = [math.log(self.partner(run.batch) / run.seconds) for run in runs]
        if len(ratios) < FEWEST_TO_KNOW or self.deviation is None:
            return Speedup(math.exp(fmean(ratios)), None)
        center, own = trimmed_mean(ratios, RISK)
        if change is not None:
            # Expected of the level after it.
            center += (change.before - change.after) / 2
            own += abs(change.before - change.after) / 2
        states = self._quantile(RISK) * self.state_error
        half = math.hypot(own, states)
        return Speedup(math.exp(center), (math.exp(center - half), math.exp(center + half)))

    def _quantile(self, risk: float) -> float:
        return t_quantile(len(self._squares), 1 - risk / 2)

    def _add_spread(self, logs: Sequence[float]) -> None:
        """Take in the spread of `logs` about their mean, one square less than there are."""
        mean, count = fmean(logs), len(logs)
        if count >= FEWEST_TO_KNOW:
            variance = sum((log - mean) ** 2 for log in logs) / (count - 1)
            self._squares.extend([variance] * (count - 1))


def _logs_of(runs: Sequence[Timed], batch: int) -> list[float]:
    return [math.log(run.seconds) for run in runs if run.batch == batch]
