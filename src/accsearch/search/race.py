"""The batches of one configuration, and the time and the loss estimated from them."""

import math
from collections.abc import Iterable, Iterator
from itertools import chain
from statistics import fmean, stdev

from accsearch.results.stats import paired_loss_interval, prompts_needed, relative_loss, t_quantile
from accsearch.search.exclusion import exceeds_p_value
from accsearch.search.measure import Batch
from accsearch.task import Trial


class Race:
    """One configuration against the baseline, batch by batch."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.batches: list[Batch] = []
        self.log_ratios: list[float] = []
        """Return log(baseline / trial) of every pair of runs so far."""

    def add(self, batch: Batch) -> None:
        """Take one more batch into account."""
        self.batches.append(batch)
        self.log_ratios.append(math.log(batch.baseline_seconds / batch.seconds))

    @property
    def prompts(self) -> int:
        return sum(len(batch.scores) for batch in self.batches)

    @property
    def scores(self) -> list[float]:
        return list(chain.from_iterable(batch.scores for batch in self.batches))

    @property
    def baseline_scores(self) -> list[float]:
        return list(chain.from_iterable(batch.baseline_scores for batch in self.batches))

    @property
    def loss(self) -> float | None:
        """Return the relative loss of the mean score so far."""
        return relative_loss(fmean(self.baseline_scores), fmean(self.scores))

    def exceeds(self, limit: float) -> float:
        """Return the p-value of being within `limit`."""
        return exceeds_p_value(self.baseline_scores, self.scores, limit)

    def is_within(self, limit: float) -> bool:
        """Say whether the upper end of the loss's 95 % interval is at most `limit`."""
        interval = paired_loss_interval(self.baseline_scores, self.scores)
        return interval is not None and interval[1] <= limit

    def prompts_needed(self, limit: float) -> int | None:
        """Return how many prompts would decide that it is within `limit`; None if none would."""
        return prompts_needed(self.baseline_scores, self.scores, limit)

    @property
    def relative_seconds(self) -> float:
        """Return the time as a share of the baseline's."""
        return math.exp(-fmean(self.log_ratios))

    @property
    def standard_error(self) -> float:
        """Return the standard error of log(speed-up); infinite for one run."""
        count = len(self.log_ratios)
        return math.inf if count < 2 else stdev(self.log_ratios) / math.sqrt(count)

    def half_width(self, risk: float) -> float:
        """Return the half-width of log(speed-up), missed on each side with probability `risk`; infinite for one run."""
        count = len(self.log_ratios)
        return math.inf if count < 2 else t_quantile(count - 1, 1 - risk) * self.standard_error


def fastest_first(races: Iterable[Race]) -> Iterator[Race]:
    """Yield races by their measured time."""
    return iter(sorted(races, key=lambda race: race.relative_seconds))
