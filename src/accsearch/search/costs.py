"""Predict how long a configuration takes from the cost of each kind of denoiser call, with an error band."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median

from accsearch.methods.info import Kind
from accsearch.result_lines.stats import t_cdf, t_quantile

FEWEST_FOR_BAND = 4
WIDE = math.log(2)
"""Half-width of the band, as a logarithm, before enough measurements can say: a factor of two."""
NARROWEST = 0.005
"""Least standard deviation of the predictions' errors that is believed."""


@dataclass(frozen=True)
class Trace:
    """One generation with each denoiser call timed: the call's kind and seconds, and the whole's seconds."""

    kinds: tuple[Kind, ...]
    seconds: tuple[float, ...]
    whole_seconds: float


@dataclass(frozen=True)
class Costs:
    """Seconds of a call by its kind, and `rest`: encoding, decoding and the sampler, per generation."""

    calls: Mapping[Kind, float]
    rest: float

    def predict(self, kinds: Iterable[Kind]) -> float | None:
        """Return the seconds of a generation that makes these calls; None if a kind was never timed."""
        total = self.rest
        for kind in kinds:
            if kind not in self.calls:
                return None
            total += self.calls[kind]
        return total


def _lower_quartile(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 4]


def costs_of(
    traces: Sequence[Trace], over_traces: Callable[[Sequence[float]], float] = _lower_quartile
) -> Costs:
    """Return the cost of each kind, and `rest`, what the calls leave, its median over the traces.

    A kind's cost in a trace is its mean, since a method that decides by the images which calls it skips has one kind
    for both. `over_traces` makes one of these means: the lower quartile, since a disturbance only lengthens a run.
    """
    means: dict[Kind, list[float]] = {}
    for trace in traces:
        by_kind: dict[Kind, list[float]] = {}
        for kind, seconds in zip(trace.kinds, trace.seconds, strict=True):
            by_kind.setdefault(kind, []).append(seconds)
        for kind, seconds_of_kind in by_kind.items():
            means.setdefault(kind, []).append(fmean(seconds_of_kind))
    rest = median([max(0.0, trace.whole_seconds - sum(trace.seconds)) for trace in traces])
    return Costs({kind: over_traces(seconds) for kind, seconds in means.items()}, rest)


def to_trace(calls: Mapping[str, tuple[Kind, ...]], times: int) -> list[str]:
    """Return ids of configurations to trace, so that each kind is in `times` of them where so many make it.

    `calls` maps a configuration's id to its calls. Few are chosen, greedily, and none twice.
    """
    wanted: Counter[Kind] = Counter()
    for kinds in calls.values():
        wanted.update(set(kinds))
    missing = {kind: min(times, count) for kind, count in wanted.items()}
    chosen: list[str] = []
    while any(missing.values()):
        rest = [id_ for id_ in calls if id_ not in chosen]
        best = max(rest, key=lambda id_: sum(missing[kind] > 0 for kind in set(calls[id_])))
        chosen.append(best)
        for kind in set(calls[best]):
            missing[kind] = max(0, missing[kind] - 1)
    return chosen


@dataclass
class Band:
    """The error of predictions, learnt from every configuration that was both predicted and measured.

    The logarithms of measured over predicted are taken as a sample that is normal below its median; above it lie also
    those that the machine slowed down, which say nothing of what may be faster than predicted. Its variance is the
    mean square of the lower half about the median (the lower semivariance), with as many degrees of freedom. It is that
    of the predictions plus that of each measurement, which is taken off (the moment estimator of DerSimonian and Laird
    1986, Control. Clin. Trials 7:177, unweighted). One more configuration then lies where Student's t says; but none
    counts as further in than the worst error seen, beyond that measurement's own interval, so that one that was faster
    than predicted widens the band.
    """

    risk: float
    _errors: list[tuple[float, float, float]] = field(default_factory=list)

    def saw(self, predicted: float, measured: float, error: float, half_width: float) -> None:
        """Take a measurement into account; its logarithm has the standard error and half-width given."""
        self._errors.append((math.log(measured / predicted), error, half_width))

    @property
    def count(self) -> int:
        """How many configurations it has learnt from."""
        return len(self._errors)

    def surely_longer(self, predicted: Iterable[float], seconds: float) -> bool:
        """Say whether configurations predicted to take so long all take longer than `seconds`, but for the risk.

        The risks of the single configurations are added up (union bound), so that those far off cost next to nothing.
        """
        center, spread, nearest = self._center(), self._spread(), self._nearest()
        total = 0.0
        for each in predicted:
            below = center - math.log(seconds / each) if each > 0 else -math.inf
            if below <= nearest:
                return False
            if self.count >= FEWEST_FOR_BAND:
                total += 1 - t_cdf(below / spread, self._freedom())
            if total > self.risk:
                return False
        return True

    def half_width(self) -> float:
        """Return how far below the centre one configuration lies at most, but for the risk, as a logarithm."""
        if self.count < FEWEST_FOR_BAND:
            return WIDE
        return max(t_quantile(self._freedom(), 1 - self.risk) * self._spread(), self._nearest())

    def _center(self) -> float:
        """Return the median error, 0 if what was measured took longer than predicted.

        One method that takes longer than predicted says nothing of those that were not measured.
        """
        return min(0.0, self._median()) if self._errors else 0.0

    def _nearest(self) -> float:
        """Return how far below the centre one configuration may always lie."""
        if self.count < FEWEST_FOR_BAND:
            return WIDE
        center = self._center()
        return max(center - error - half_width for error, _, half_width in self._errors)

    def _spread(self) -> float:
        """Return the standard deviation of one more error about the median of those seen."""
        if self.count < FEWEST_FOR_BAND:
            return NARROWEST
        middle, lower = self._median(), sorted(error for error, _, _ in self._errors)[: self._freedom()]
        own = fmean([(error - middle) ** 2 for error in lower])
        own -= fmean([standard_error**2 for _, standard_error, _ in self._errors])
        return max(NARROWEST, math.sqrt(max(0.0, own))) * math.sqrt(1 + 1 / self.count)

    def _freedom(self) -> int:
        """Return the degrees of freedom of the spread, which half of the errors tell."""
        return self.count // 2

    def _median(self) -> float:
        return median([error for error, _, _ in self._errors])
