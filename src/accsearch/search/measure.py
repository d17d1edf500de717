"""The interface through which the search measures: a worker on its device, or the replay of a recorded table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from accsearch.result_lines.stats import Interval
from accsearch.search.costs import Trace
from accsearch.task import Trial


@dataclass(frozen=True)
class Batch:
    """One timed generation of a batch of prompts, and the baseline's for the same prompts.

    `changed` says whether any image differs from the baseline's. `counts` is false where the seconds say nothing of a
    whole batch: of a run that sets up, or of fewer prompts. `shared_error` is the standard error of the logarithm
    of baseline_seconds / seconds that the batches of one configuration share, since they follow each other.
    """

    seconds: float
    baseline_seconds: float
    scores: tuple[float, ...]
    baseline_scores: tuple[float, ...]
    changed: bool = True
    counts: bool = True
    shared_error: float = 0.0


@dataclass(frozen=True)
class Confirmation:
    """A candidate and the baseline measured again on fresh prompts and seeds, up to some number of prompts."""

    baseline_scores: tuple[float, ...]
    scores: tuple[float, ...]
    speedup: float
    speedup_ci95: Interval | None


class Unmeasurable(Exception):
    """A configuration that cannot be measured; the message says why."""


class Measure(Protocol):
    """Measures configurations; every call costs time on the device."""

    def trace(self, trial: Trial) -> Trace:
        """Time each denoiser call of one generation."""
        ...

    def batch(self, trial: Trial, number: int) -> Batch:
        """Generate, time and score batch `number` of the search's prompts."""
        ...

    def log_ratios(self, trial: Trial) -> Sequence[float]:
        """Time the baseline and `trial` in turn; return log(baseline / trial) of a few more pairs of runs."""
        ...

    def confirm(self, trial: Trial, prompts: int) -> Confirmation:
        """Measure `trial` on the first `prompts` fresh prompts; a later call continues an earlier one."""
        ...

    def exhausted(self) -> bool:
        """Say whether the budget is spent."""
        ...
