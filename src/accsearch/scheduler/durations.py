"""Predict how long tasks take; pure.

A task's time is taken from its own last success, else from a multiplicative model of what finished: one
factor for each value of each axis, and proportional to the number of trials. Numbers that were never seen
follow the trend of those that were; of a single one they are taken in proportion (50 steps take 2.5 times as
long as 20).
"""

import heapq
import math
from bisect import bisect
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from accsearch.task import Scalar, Task

PASSES = 8
"""Rounds of the fit; each factor is the geometric mean of what the others leave over."""
MEMORY = 500
"""Most samples of a configuration that are fitted, the newest; more take time and make no difference."""
NEWS = 0.05
"""Share of the samples that must be new until they are fitted anew: that takes time, and one of many changes little."""
STEEPEST = 2.0
"""Largest power of an axis value with which the time is believed to grow."""


Effects = Mapping[Scalar, float]
Row = tuple[Mapping[str, Scalar], float]


@dataclass(frozen=True, slots=True)
class Sample:
    """A finished task and what it took."""

    task: Task
    seconds: float


class TimeModel:
    """Learns from finished tasks, in any order."""

    def __init__(self, samples: Iterable[Sample] = ()) -> None:
        self._samples: dict[str, deque[Sample]] = defaultdict(lambda: deque(maxlen=MEMORY))
        self._own: dict[str, float] = {}
        self._fits: dict[str, _Fit] = {}
        self._news: Counter[str] = Counter()
        for sample in samples:
            self.add(sample)

    def add(self, sample: Sample) -> None:
        """Take a finished task; a later sample of the same task replaces the earlier."""
        self._own[sample.task.name] = sample.seconds
        self._samples[sample.task.config].append(sample)
        self._news[sample.task.config] += 1

    def predict(self, task: Task) -> float | None:
        """Return the expected seconds, None if nothing like the task has finished."""
        known = self._own.get(task.name)
        if known is not None:
            return known
        if task.config not in self._samples:
            return None
        samples = self._samples[task.config]
        if task.config not in self._fits or self._news[task.config] > NEWS * len(samples):
            self._fits[task.config] = _Fit(list(samples))
            self._news[task.config] = 0
        return self._fits[task.config].predict(task)


class _Fit:
    """log(seconds) = mean + one effect for each axis value + log(number of trials)."""

    def __init__(self, samples: list[Sample]) -> None:
        rows = [(each.task.axes, math.log(max(each.seconds, 1e-3)) - _size(each.task)) for each in samples]
        self._mean = sum(value for _, value in rows) / len(rows)
        effects: dict[str, dict[Scalar, float]] = {axis: {} for axis in samples[0].task.axes}
        for _ in range(PASSES):
            for axis in effects:
                effects[axis] = self._refit(axis, effects, rows)
        self._axes = {axis: _Axis(known) for axis, known in effects.items()}

    def _refit(self, axis: str, effects: Mapping[str, Effects], rows: list[Row]) -> dict[Scalar, float]:
        residuals: dict[Scalar, list[float]] = defaultdict(list)
        others = [(name, known) for name, known in effects.items() if name != axis]
        for axes, value in rows:
            explained = sum(known.get(axes[name], 0.0) for name, known in others)
            residuals[axes[axis]].append(value - self._mean - explained)
        return {value: sum(each) / len(each) for value, each in residuals.items()}

    def predict(self, task: Task) -> float:
        effects = sum(axis.effect(task.axes[name]) for name, axis in self._axes.items())
        return math.exp(self._mean + effects + _size(task))


class _Axis:
    """The effects of one axis' values, and their trend where the values are numbers."""

    def __init__(self, known: Mapping[Scalar, float]) -> None:
        self._effects = dict(known)
        points = [(_log(value), effect) for value, effect in known.items()]
        self._points = sorted((log, effect) for log, effect in points if log is not None)
        self._slope = _slope(self._points)

    def effect(self, value: Scalar) -> float:
        """Return the effect of a value; an unseen number continues the trend from the nearest seen one."""
        found = self._effects.get(value)
        if found is None:
            found = self._effects[value] = self._trend(value)
        return found

    def _trend(self, value: Scalar) -> float:
        at = _log(value)
        if at is None or not self._points:
            return 0.0
        position = bisect(self._points, (at, 0.0))
        near = self._points[max(0, position - 1) : position + 1]
        nearest, effect = min(near, key=lambda point: abs(point[0] - at))
        return effect + self._slope * (at - nearest)


def _size(task: Task) -> float:
    return math.log(max(1, len(task.trials)))


def _slope(points: list[tuple[float, float]]) -> float:
    """Return the least-squares slope, between 0 and STEEPEST; 1 where a single point shows none."""
    if len(points) < 2:
        return 1.0
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return min(STEEPEST, max(0.0, sum((x - mean_x) * (y - mean_y) for x, y in points) / spread))


def _log(value: Scalar) -> float | None:
    """Return the logarithm of an axis value, None if it is not a positive number."""
    try:
        return math.log(float(value))
    except ValueError:
        return None


def prior(task: Task) -> float:
    """Return a relative guess for a task of which nothing is known: its trials times its steps."""
    return max(1, len(task.trials)) * math.exp(_log(task.axes.get("steps", 1)) or 0.0)


def makespan(seconds: Iterable[float], slots: int) -> float:
    """Return when the last of the tasks ends if each slot takes the next of them as it becomes free."""
    loads = [0.0] * max(1, slots)
    for each in seconds:
        heapq.heapreplace(loads, loads[0] + each)
    return max(loads)
