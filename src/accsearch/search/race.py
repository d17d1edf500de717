"""The batches of one configuration, and the time and the loss estimated from them."""

import math
from collections.abc import Iterable, Iterator
from itertools import chain
from statistics import fmean, stdev

from accsearch.result_lines.stats import paired_loss_interval, prompts_needed, relative_loss, t_quantile
from accsearch.search.exclusion import exceeds_p_value
from accsearch.search.measure import Batch
from accsearch.task import Trial


class Race:
    """One configuration against the baseline, batch by batch."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.batches: list[Batch] = []
        self.pairs: list[float] = []
        """log(baseline / trial) of runs made in turn."""

    def add(self, batch: Batch) -> None:
        """Take one more batch into account."""
        self.batches.append(batch)

    @property
    def active(self) -> bool:
        """Say whether any image differs from the baseline's."""
        return any(batch.changed for batch in self.batches)

    @property
    def shared_error(self) -> float:
        """Return the standard error that all ratios share; runs made in turn share none."""
        return 0.0 if self.pairs else max(batch.shared_error for batch in self.batches)

    @property
    def log_ratios(self) -> list[float]:
        """Return log(baseline / trial) of each run that counts, of those made in turn alone if others share an error.

        Where none counts yet, return those of all.
        """
        if self.pairs and any(batch.shared_error for batch in self.batches):
            return self.pairs
        counting = [batch for batch in self.batches if batch.counts] or self.batches
        return [math.log(batch.baseline_seconds / batch.seconds) for batch in counting] + self.pairs

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

    def may_be_shown(self, limit: float, prompts: int) -> bool:
        """Say whether so many prompts would show that it is within `limit`."""
        needed = self.prompts_needed(limit)
        return needed is not None and needed <= prompts

    @property
    def relative_seconds(self) -> float:
        """Return the time as a share of the baseline's."""
        return math.exp(-fmean(self.log_ratios))

    @property
    def standard_error(self) -> float:
        """Return the standard error of log(speed-up); infinite for one run."""
        ratios = self.log_ratios
        if len(ratios) < 2 or not (self.pairs or any(batch.counts for batch in self.batches)):
            return math.inf
        return math.hypot(stdev(ratios) / math.sqrt(len(ratios)), self.shared_error)

    def half_width(self, risk: float) -> float:
        """Return the half-width of log(speed-up), missed on each side with probability `risk`; infinite for one run."""
        count = len(self.log_ratios)
        return math.inf if count < 2 else t_quantile(count - 1, 1 - risk) * self.standard_error

    def longer_than(self, other: "Race | None", risk: float) -> float:
        """Return by how much, as a logarithm, it takes longer than `other`, or the baseline for None, beyond doubt.

        Negative where it may be as fast: by Welch's t-test (1947, Biometrika 34:28), one-sided with `risk`.
        """
        races = (self,) if other is None else (self, other)
        variances = [race.standard_error**2 for race in races]
        whole = sum(variances)
        if math.isinf(whole):
            return -math.inf
        seconds = 1.0 if other is None else other.relative_seconds
        shares = [own**2 / (len(race.log_ratios) - 1) for own, race in zip(variances, races, strict=True)]
        freedom = max(1, int(whole**2 / sum(shares))) if whole else 1
        return math.log(self.relative_seconds / seconds) - t_quantile(freedom, 1 - risk) * math.sqrt(whole)

    def reaches(self, target: float, risk: float) -> bool:
        """Say whether it is at least `target` times as fast as the baseline beyond doubt."""
        return -math.log(self.relative_seconds) - self.half_width(risk) >= math.log(target)


def fastest_first(races: Iterable[Race]) -> Iterator[Race]:
    """Yield races by their measured time."""
    return iter(sorted(races, key=lambda race: race.relative_seconds))
