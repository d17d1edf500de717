"""Exclude a configuration as soon as its loss is above a limit, with the errors of all exclusions bounded.

Three layers of looking, and what bounds each:

- *Prompts are added batch by batch*, and looks after 1, 2, 4, 8, … batches and at the end may exclude. The risk of a
  configuration is divided evenly over its looks (union bound; the simplest alpha spending, cf. Lan and DeMets 1983,
  Biometrika 70:659).
- *Configurations are looked at in an order fixed beforehand*, from the fastest predicted one down. That is the fallback
  procedure (Wiens and Dmitrienko 2005, J. Biopharm. Stat. 15:929): each hypothesis "its loss is within the limit" has
  a weight of its own, 1 / (n (n + 1)) of the risk for the n-th, and the whole risk of one that was excluded passes to
  the next. The probability that any configuration within the limit is excluded stays below `risk`, however their
  scores depend on one another.
- *Each look* is a one-sided paired t-test of (1 - limit) * baseline - score. Scores that fall rarely and far skew it to
  the right, where the test excludes too seldom, not too often.
"""

import math
from collections.abc import Sequence
from statistics import fmean, stdev

from accsearch.result_lines.stats import t_cdf


def looks(batches: int) -> tuple[int, ...]:
    """Return after how many batches to look, for so many in all."""
    doubled = [2**power for power in range(batches.bit_length()) if 2**power < batches]
    return (*doubled, batches)


def exceeds_p_value(baseline: Sequence[float], trial: Sequence[float], limit: float) -> float:
    """Return the p-value of "the loss is within `limit`" against "it is above", for scores of the same prompts.

    1 for fewer than two prompts.
    """
    if len(baseline) < 2:
        return 1.0
    excess = [(1 - limit) * before - after for before, after in zip(baseline, trial, strict=True)]
    center, spread = fmean(excess), stdev(excess)
    if spread == 0:
        return 0.0 if center > 0 else 1.0
    return 1 - t_cdf(center / (spread / math.sqrt(len(excess))), len(excess) - 1)


class Fallback:
    """The risk that each configuration may spend on being excluded for one limit, in the fixed order."""

    def __init__(self, risk: float) -> None:
        self._risk = risk
        self._number = 1
        self._passed_on = 0.0

    def available(self) -> float:
        """Return the risk of the configuration that is next in the order."""
        return self._passed_on + share(self._risk, self._number)

    def settle(self, *, excluded: bool) -> None:
        """Go on to the next configuration; the risk of an excluded one passes on, any other's is spent."""
        self._passed_on = self.available() if excluded else 0.0
        self._number += 1


def share(risk: float, number: int) -> float:
    """Return the part of `risk` that the `number`-th of any number of tests has, from 1; together they are `risk`."""
    return risk / (number * (number + 1))
