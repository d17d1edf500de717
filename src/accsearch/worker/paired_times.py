"""The statistics of paired times: how many pairs to measure, and an interval that allows for having stopped.

Baseline and trial are timed in pairs, so that what slows the machine down slows both; the unit is the
logarithm of a pair's ratio. A first set of pairs, the pilot, fixes by its spread alone how many are measured
next, up to a cap (Stein 1945, Annals of Mathematical Statistics 16:243). If the interval is still too wide
then, since later pairs were more disturbed, all up to the cap are measured.

Below the cap the interval is Stein's, at the cap that of a fixed sample. Each would miss the truth with at
most its own risk if it were taken always, whatever decides which of the two is reported; so by the union bound
a reported interval misses in at most EARLY_RISK + CAP_RISK = 5 % of cases. The centre is a trimmed mean (Yuen
1974, Biometrika 61:165), so that a few disturbed pairs move and widen the interval little.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev

from accsearch.result_lines.stats import t_quantile

OUTLIER_SCORE = 3.5
"""Modified z-score beyond which a time is marked (Iglewicz and Hoaglin 1993)."""
STABLE_WITHIN = 0.1
"""How much longer than the shortest run, as a share of it, a run may take once warm-up is over."""
TRIMMED_SHARE = 0.1
FEWEST_TO_TRIM = 8
EARLY_RISK = 0.02
CAP_RISK = 0.03


@dataclass(frozen=True)
class Speedup:
    """How many times faster than the baseline; `interval` is the 95 % interval, None for a single pair."""

    value: float
    interval: tuple[float, float] | None

    def is_within(self, half_width: float) -> bool:
        """Say whether the interval is at most +- `half_width` wide, as logarithms: 0.01 is about 1 %."""
        return self.interval is not None and math.log(self.interval[1] / self.interval[0]) / 2 <= half_width


def pairs_needed(log_ratios: Sequence[float], pilot: int, half_width: float, cap: int) -> int:
    """Return how many pairs to measure in all for an interval of +- `half_width`, as many as there are to stop.

    The first `pilot` log-ratios say how many come next, at most `cap`; after those it is all or nothing.
    """
    count = len(log_ratios)
    if pilot < 2 or pilot >= cap:
        return max(pilot, cap)
    if count == pilot:
        return max(pilot, min(cap, math.ceil((_stein(log_ratios) / half_width) ** 2)))
    return count if speedup(log_ratios, pilot, cap).is_within(half_width) else cap


def speedup(log_ratios: Sequence[float], pilot: int, cap: int) -> Speedup:
    """Return the speed-up from the log-ratios (baseline over trial) of all pairs measured.

    `pilot` of them came first and `cap` was the most allowed, as given to `pairs_needed`.
    """
    count = len(log_ratios)
    if count < 2:
        return Speedup(math.exp(fmean(log_ratios)), None)
    stopped_early = 2 <= pilot < cap and count < cap
    no_choice = pilot < 2 or pilot >= cap
    center, half = trimmed_mean(log_ratios, EARLY_RISK + CAP_RISK if no_choice else CAP_RISK)
    if stopped_early:
        stein = _stein(log_ratios[:pilot]) / math.sqrt(count)
        # A disturbance after the pilot still counts.
        half = stein if count == pilot else max(stein, half)
    return Speedup(math.exp(center), (math.exp(center - half), math.exp(center + half)))


def _stein(pilot: Sequence[float]) -> float:
    """Return the half-width that a single pair's interval would have, by the pilot's spread."""
    return t_quantile(len(pilot) - 1, 1 - EARLY_RISK / 2) * stdev(pilot)


def trimmed_mean(values: Sequence[float], risk: float) -> tuple[float, float]:
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
    distances = [abs(time - center) for time in times]
    # Where most times are equal their median deviation is 0; then by the mean one, not scaled to a normal
    # sample's, or one of four could never stand out.
    deviation = median(distances) / 0.6745 or fmean(distances)
    return tuple(index for index, distance in enumerate(distances) if distance > OUTLIER_SCORE * deviation)


def is_stable(times: Sequence[float]) -> bool:
    """Say whether warm-up is over: the last two runs took about as long as the shortest so far."""
    return len(times) > 1 and max(times[-2:]) <= min(times) * (1 + STABLE_WITHIN)
