"""Predict how long a configuration takes from the cost of each kind of denoiser call, with an error band."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median, variance

from accsearch.methods.info import Kind
from accsearch.results.stats import t_quantile

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


def costs_of(traces: Sequence[Trace]) -> Costs:
    """Return the median cost of each kind over all traces; `rest` is the median of what the calls leave."""
    by_kind: dict[Kind, list[float]] = {}
    for trace in traces:
        for kind, seconds in zip(trace.kinds, trace.seconds, strict=True):
            by_kind.setdefault(kind, []).append(seconds)
    rest = median([max(0.0, trace.whole_seconds - sum(trace.seconds)) for trace in traces])
    return Costs({kind: median(seconds) for kind, seconds in by_kind.items()}, rest)


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

    The logarithms of measured over predicted are taken as a normal sample whose variance is that of the predictions
    plus that of each measurement, which is taken off (the moment estimator of DerSimonian and Laird 1986, Control.
    Clin. Trials 7:177, unweighted). The band is the one-sided prediction interval for all configurations not yet
    measured at once (Bonferroni). It is never narrower than the worst error seen beyond that measurement's own
    interval, so that it widens when a prediction turns out wrong.
    """

    risk: float
    _errors: list[tuple[float, float, float]] = field(default_factory=list)

    def saw(self, predicted: float, measured: float, error: float, half_width: float) -> None:
        """Take a measurement into account; its logarithm has the standard error and half-width given."""
        self._errors.append((math.log(measured / predicted), error, half_width))

    def lower(self, predicted: float, unmeasured: int) -> float:
        """Return what a configuration predicted to take `predicted` takes at least; `unmeasured` are left."""
        return predicted * math.exp(self._center() - self.half_width(unmeasured))

    def half_width(self, unmeasured: int) -> float:
        """Return how far below its centre the band reaches, as a logarithm."""
        count = len(self._errors)
        if count < FEWEST_FOR_BAND:
            return WIDE
        own = variance([error for error, _, _ in self._errors]) - fmean(
            [standard_error**2 for _, standard_error, _ in self._errors]
        )
        spread = max(NARROWEST, math.sqrt(max(0.0, own)))
        quantile = t_quantile(count - 1, 1 - self.risk / max(1, unmeasured))
        center = self._center()
        worst = max(center - error - half_width for error, _, half_width in self._errors)
        return max(quantile * spread * math.sqrt(1 + 1 / count), worst)

    def _center(self) -> float:
        return fmean([error for error, _, _ in self._errors]) if self._errors else 0.0
