"""The statistics of paired times: how many pairs to measure, and an interval that allows for having stopped.

Baseline and trial are timed in pairs, so that what slows the machine down slows both; the unit is the
logarithm of a pair's ratio. A first set of pairs, the pilot, fixes by its spread alone how many are measured
in all, up to a cap (Stein 1945, Annals of Mathematical Statistics 16:243). Below the cap the interval is
Stein's, at the cap that of a fixed sample. The risk of missing the truth is split between the two ways to
end, so that together they miss in at most 5 % of cases. The centre is a trimmed mean (Yuen 1974, Biometrika
61:165), so that a few disturbed pairs move and widen the interval little.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev

from accsearch.results.stats import t_quantile

OUTLIER_SCORE = 3.5
"""Modified z-score beyond which a time is marked (Iglewicz and Hoaglin 1993)."""
TRIMMED_SHARE = 0.1
FEWEST_TO_TRIM = 8
EARLY_RISK = 0.02
CAP_RISK = 0.03


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
    if first < 2 or first >= cap:
        return max(first, cap)
    return max(first, min(cap, math.ceil((_stein(pilot) / half_width) ** 2)))


def speedup(log_ratios: Sequence[float], pilot: int, cap: int) -> Speedup:
    """Return the speed-up from the log-ratios (baseline over trial) of all pairs measured.

    `pilot` of them came first and `cap` was the most allowed, as given to `pairs_needed`.
    """
    count = len(log_ratios)
    if count < 2:
        return Speedup(math.exp(fmean(log_ratios)), None)
    stopped_early = 2 <= pilot < cap and count < cap
    no_choice = pilot < 2 or pilot >= cap
    center, half = _trimmed(log_ratios, EARLY_RISK + CAP_RISK if no_choice else CAP_RISK)
    if stopped_early:
        stein = _stein(log_ratios[:pilot]) / math.sqrt(count)
        # A disturbance after the pilot still counts.
        half = stein if count == pilot else max(stein, half)
    return Speedup(math.exp(center), (math.exp(center - half), math.exp(center + half)))


def _stein(pilot: Sequence[float]) -> float:
    """Return the half-width that a single pair's interval would have, by the pilot's spread."""
    return t_quantile(len(pilot) - 1, 1 - EARLY_RISK / 2) * stdev(pilot)


def _trimmed(values: Sequence[float], risk: float) -> tuple[float, float]:
    """Return Yuen's trimmed mean and the half-width of its interval, which misses with probability `risk`."""
    ordered, count = sorted(values), len(values)
    cut = max(1, int(TRIMMED_SHARE * count)) if count >= FEWEST_TO_TRIM else 0
    kept = ordered[cut : count - cut]
    winsorized = [kept[0]] * cut + kept + [kept[-1]] * cut
    error = stdev(winsorized) * math.sqrt((count - 1) / (len(kept) * (len(kept) - 1)))
    return fmean(kept), t_quantile(len(kept) - 1, 1 - risk / 2) * error


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
