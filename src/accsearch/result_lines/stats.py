"""The statistics of times and paired scores, without numpy, so that every process may use them."""

import math
from collections.abc import Sequence
from functools import cache
from statistics import NormalDist, fmean, median, stdev

Interval = tuple[float, float]

_MEDIAN_INFLATION = math.sqrt(math.pi / 2)
"""Standard error of a median over that of a mean, for a normal sample."""


def sample_std(values: Sequence[float]) -> float | None:
    """Return the standard deviation with n - 1, or None for fewer than two values."""
    return stdev(values) if len(values) > 1 else None


def t_cdf(t: float, df: int) -> float:
    """Return P(T <= t) of Student's t, df whole (Abramowitz and Stegun 26.7.3 and 26.7.4)."""
    theta = math.atan2(t, math.sqrt(df))
    sine, cosine = math.sin(theta), math.cos(theta)
    odd = df % 2 == 1
    total = term = cosine if odd else 1.0
    for k in range(3 if odd else 2, df - 1, 2):
        term *= (k - 1) / k * cosine * cosine
        total += term
    area = (theta + (sine * total if df > 1 else 0.0)) * 2 / math.pi if odd else sine * total
    return (1 + area) / 2


@cache
def t_quantile(df: int, p: float = 0.975) -> float:
    """Return the t with P(T <= t) = p, for p >= 0.5 and df >= 1."""
    z = NormalDist().inv_cdf(p)
    if df > 500:
        # The next term of the Cornish-Fisher expansion is below 1e-5 here.
        return z + (z**3 + z) / (4 * df)
    low, high = 0.0, 1.0
    while t_cdf(high, df) < p:
        low, high = high, high * 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if t_cdf(middle, df) < p else (low, middle)
    return (low + high) / 2


def relative_loss(baseline: float | None, trial: float | None) -> float | None:
    """Return (baseline - trial) / baseline, or None where that has no meaning: no scores, or no positive one."""
    if baseline is None or trial is None or baseline <= 0:
        return None
    return (baseline - trial) / baseline


def paired_loss_interval(baseline: Sequence[float], trial: Sequence[float]) -> Interval | None:
    """Return the 95 % interval of the relative loss of mean score, prompts paired.

    Delta method on the ratio of means: the residuals trial - ratio * baseline carry the prompts' own spread
    away. None for fewer than two prompts, other numbers of prompts, or a baseline that is not positive.
    """
    n = len(baseline)
    if n < 2 or n != len(trial) or fmean(baseline) <= 0:
        return None
    loss, half = loss_and_error(baseline, trial)
    half *= t_quantile(n - 1)
    return (loss - half, loss + half)


def paired_loss_bound(baseline: Sequence[float], trial: Sequence[float], risk: float) -> float | None:
    """Return the upper bound of the relative loss that is missed with probability `risk`; the lower one for -risk.

    Of the same kind as `paired_loss_interval`, and None in the same cases.
    """
    n = len(baseline)
    if n < 2 or n != len(trial) or fmean(baseline) <= 0:
        return None
    loss, error = loss_and_error(baseline, trial)
    return loss + math.copysign(t_quantile(n - 1, 1 - abs(risk)) * error, risk)


def prompts_needed(baseline: Sequence[float], trial: Sequence[float], limit: float) -> int | None:
    """Return how many prompts would bring the upper end of the loss's 95 % interval under `limit`.

    None where no number would, because the loss itself is not below the limit, or nothing can be said.
    """
    n = len(baseline)
    if n < 2 or n != len(trial) or fmean(baseline) <= 0:
        return None
    loss, error = loss_and_error(baseline, trial)
    if loss >= limit:
        return None
    return max(2, math.ceil(n * (NormalDist().inv_cdf(0.975) * error / (limit - loss)) ** 2))


def loss_and_error(baseline: Sequence[float], trial: Sequence[float]) -> tuple[float, float]:
    """Return the relative loss of mean score, prompts paired, and its standard error; for two scores or more."""
    scale = fmean(baseline)
    ratio = fmean(trial) / scale
    residuals = [t - ratio * b for b, t in zip(baseline, trial, strict=True)]
    return 1 - ratio, stdev(residuals) / math.sqrt(len(baseline)) / scale


def speedup_interval(reference: Sequence[float], trial: Sequence[float]) -> Interval | None:
    """Return the 95 % interval of median(reference) / median(trial) for two independent sets of times.

    Welch's interval on the logarithms, widened because medians vary more than means; the degrees of freedom
    are rounded down. None for fewer than two times on either side.
    """
    if min(len(reference), len(trial)) < 2 or min(*reference, *trial) <= 0:
        return None
    center = math.log(median(reference) / median(trial))
    parts = [
        (stdev([math.log(t) for t in times]) ** 2 / len(times), len(times)) for times in (reference, trial)
    ]
    variance = sum(part for part, _ in parts)
    if variance == 0:
        return (math.exp(center), math.exp(center))
    df = int(variance**2 / sum(part**2 / (n - 1) for part, n in parts))
    half = t_quantile(max(1, df)) * _MEDIAN_INFLATION * math.sqrt(variance)
    return (math.exp(center - half), math.exp(center + half))
