"""How likely more prompts are to show that a loss is within a limit, foreseen from those so far.

Such a forecast decides what is worth its time, never what is true: giving up early can lose an answer but makes no
wrong one. It is the predictive power of Spiegelhalter, Freedman and Blackburn (1986, Control. Clin. Trials 7:8) with a
flat prior, and the normal distribution for that of the mean.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist

from accsearch.result_lines.stats import loss_and_error


def chance_within(
    baseline: Sequence[float], trial: Sequence[float], limit: float, risk: float, prompts: int
) -> float:
    """Return the chance that the loss's upper bound, missed with probability `risk`, is under `limit` in the end.

    The end is `prompts` in all; 0 for fewer than two scores or none that is positive.
    """
    return _chance(baseline, trial, limit, risk, prompts, sign=-1)


def chance_above(
    baseline: Sequence[float], trial: Sequence[float], limit: float, risk: float, prompts: int
) -> float:
    """Return the chance that the loss's lower bound, missed with probability `risk`, is above `limit` in the end.

    The end is `prompts` in all; 0 for fewer than two scores or none that is positive.
    """
    return _chance(baseline, trial, limit, risk, prompts, sign=1)


def _chance(
    baseline: Sequence[float], trial: Sequence[float], limit: float, risk: float, prompts: int, *, sign: int
) -> float:
    count = len(baseline)
    if count < 2 or sum(baseline) <= 0:
        return 0.0
    loss, error = loss_and_error(baseline, trial)
    share = count / prompts
    spread = error * math.sqrt(max(0.0, 1 - share))
    margin = sign * (loss - limit) - NormalDist().inv_cdf(1 - risk) * error * math.sqrt(share)
    return NormalDist(sigma=spread).cdf(margin) if spread > 0 else float(margin >= 0)
