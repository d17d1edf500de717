"""The statistics of paired times: how many pairs to measure, and an interval that allows for having stopped.

Baseline and trial are timed in pairs, so that what slows the machine down slows both. The unit is the
logarithm of a pair's ratio. Stopping follows Stein's two stages (1945, Annals of Mathematical Statistics 16:
243): the spread of a first set of pairs alone fixes how many are measured in all, and the interval uses that
spread with the first set's degrees of freedom, so that looking at the data before stopping costs no coverage.
Where that number is beyond the cap, the number is the cap, and the interval is that of a fixed sample:
Yuen's, of a trimmed mean (Yuen 1974, Biometrika 61:165), so that a few disturbed pairs do not widen it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev

from accsearch.results.stats import t_quantile

OUTLIER_SCORE = 3.5
"""Modified z-score beyond which a time is marked (Iglewicz and Hoaglin 1993)."""
TRIMMED_SHARE = 0.1


@dataclass(frozen=True)
class Speedup:
    """How many times faster than the baseline; `interval` is the 95 % interval, None for a single pair."""

    value: float
    interval: tuple[float, float] | None


def pairs_needed(pilot: Sequence[float], half_width: float, cap: int) -> int:
    """Return how many pairs to measure in all, after a pilot of log-ratios, for an interval of +- half_width.

    At least the pilot's own number and at most `cap`, unless the pilot is longer.
    """
    first = len(pilot)
    if first < 2:
        return max(first, cap)
    error = t_quantile(first - 1) * stdev(pilot)
    return max(first, min(cap, math.ceil((error / half_width) ** 2)))


def speedup(log_ratios: Sequence[float], pilot: int, cap: int) -> Speedup:
    """Return the speed-up from the log-ratios (baseline over trial) of all pairs measured.

    `pilot` of them came first and `cap` was the most allowed, as given to `pairs_needed`.
    """
    count = len(log_ratios)
    if count < 2:
        return Speedup(math.exp(fmean(log_ratios)), None)
    if pilot >= 2 and (count == pilot or count < cap):
        center = fmean(log_ratios)
        half = t_quantile(pilot - 1) * stdev(log_ratios[:pilot]) / math.sqrt(count)
    else:
        center, half = _trimmed(log_ratios)
    return Speedup(math.exp(center), (math.exp(center - half), math.exp(center + half)))


def _trimmed(values: Sequence[float]) -> tuple[float, float]:
    """Return Yuen's trimmed mean and the half-width of its 95 % interval."""
    ordered, count = sorted(values), len(values)
    cut = max(1, int(TRIMMED_SHARE * count)) if count >= 8 else 0
    kept = ordered[cut : count - cut]
    winsorized = [kept[0]] * cut + kept + [kept[-1]] * cut
    spread = stdev(winsorized) * (count - 1) ** 0.5
    left = len(kept)
    return fmean(kept), t_quantile(left - 1) * spread / math.sqrt(left * (left - 1))


def outliers(times: Sequence[float]) -> tuple[int, ...]:
    """Return the indices of times that stand out; they are kept in every figure."""
    center = median(times)
    deviation = median(abs(time - center) for time in times)
    if deviation == 0:
        return ()
    return tuple(
        index for index, time in enumerate(times) if 0.6745 * abs(time - center) / deviation > OUTLIER_SCORE
    )


def is_stable(times: Sequence[float], tolerance: float = 0.1) -> bool:
    """Say whether warm-up is over: the last run took about as long as the shortest so far."""
    return bool(times) and times[-1] <= min(times) * (1 + tolerance) and len(times) > 1
