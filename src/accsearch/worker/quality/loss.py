"""How much score a trial loses against the baseline, prompt by prompt."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from accsearch.result_lines.stats import Interval, paired_loss_interval, prompts_needed, relative_loss


@dataclass(frozen=True)
class Loss:
    """Relative loss of the mean score with its 95 % interval.

    `prompts_needed` is how many prompts would bring the interval's upper end under the limit asked for.
    """

    value: float | None
    interval: Interval | None
    prompts_needed: int | None


def loss(baseline: Sequence[float], trial: Sequence[float], limit: float) -> Loss:
    """Compare scores of the same prompts, none where nothing scored; `limit` is the loss that the search allows."""
    if not baseline or not trial:
        return Loss(None, None, None)
    return Loss(
        relative_loss(fmean(baseline), fmean(trial)),
        paired_loss_interval(baseline, trial),
        prompts_needed(baseline, trial, limit),
    )
