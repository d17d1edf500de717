"""Confirm the fastest candidate under a limit on fresh prompts and seeds."""

from collections.abc import Iterator

from accsearch.result_lines.stats import paired_loss_bound
from accsearch.search.exclusion import share
from accsearch.search.foresight import chance_within
from accsearch.search.limit_state import LimitState
from accsearch.search.measure import Measure, Unmeasurable
from accsearch.search.outcome import Progress
from accsearch.search.race import Race

CONFIRMING_LOOKS = 4
"""How often a confirmation may look; each look doubles the fresh prompts."""
TIMING_ROUNDS = 3
"""How often the candidates whose times cannot be distinguished are timed again before the fastest is chosen."""

SMALLEST_CHANCE = 0.1
"""A confirmation is given up where more prompts would hold with a smaller chance than this."""


def confirm(
    limit: LimitState, measure: Measure, progress: Progress, *, fresh_prompts: int, half_risk: float
) -> None:
    """Refine the time of candidates that may be the fastest, then confirm the fastest on fresh prompts.

    It becomes the limit's answer, or counts as tried, as does what can no longer be measured. A spent budget leaves one
    look.
    """
    _refine(limit, measure, half_risk)
    best = limit.best()
    if best is None:
        return
    risk = share(half_risk, len(limit.tried) + 1) / CONFIRMING_LOOKS
    found = None
    try:
        for look in range(CONFIRMING_LOOKS):
            found = measure.confirm(best.trial, fresh_prompts << look)
            upper = paired_loss_bound(found.baseline_scores, found.scores, risk)
            if upper is not None and upper <= limit.value:
                limit.answer = (best, found, upper)
                break
            most = fresh_prompts << (CONFIRMING_LOOKS - 1)
            chance = chance_within(found.baseline_scores, found.scores, limit.value, risk, most)
            if measure.exhausted() or chance < SMALLEST_CHANCE:
                break
    except Unmeasurable:
        found = None
    holds = limit.answer is not None and limit.answer[0] is best
    if not holds:
        limit.tried.add(best.trial.id)
    if found is not None:
        progress.confirmed(best.trial, limit.value, found, holds=holds)


def _refine(limit: LimitState, measure: Measure, half_risk: float) -> None:
    """Time the candidates that may be the fastest in turn with the baseline until one is, or a few times."""
    for _ in range(TIMING_ROUNDS):
        contenders = list(_contenders(limit, half_risk))
        if len(contenders) < 2 or measure.exhausted():
            return
        for race in contenders:
            try:
                race.pairs.extend(measure.log_ratios(race.trial))
            except Unmeasurable:
                limit.tried.add(race.trial.id)


def _contenders(limit: LimitState, half_risk: float) -> Iterator[Race]:
    """Yield the candidates that may be as fast as the fastest within the error of their times, and the fastest."""
    best = limit.best()
    for race in list(limit.candidates):
        slower = race is not best and race.longer_than(limit.bar(), half_risk) > 0
        if race.trial.id not in limit.tried and not slower:
            yield race
