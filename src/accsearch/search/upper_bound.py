"""Find the fastest configuration within each limit, and prove it, without measuring every configuration.

1. *Predict.* A few configurations that together make every kind of denoiser call three times are timed call by call;
   from those costs the time of all is predicted. The order, fastest first, is fixed then.
2. *Race.* Down that order prompts are added batch by batch until the loss is above every limit still open
   (`exclusion`) or the prompts end. What then might be shown to be within a limit by
   the prompts of a confirmation is a candidate for it. A limit closes when
   all that are not measured are slower than a candidate by the prediction's band (`costs.Band`), which each measurement
   corrects.
3. *Confirm.* The fastest candidate is measured on fresh prompts and seeds, doubled from look to look until its loss is
   within the limit beyond doubt; if it does not hold, the limit opens again and the next candidate is tried.

Half of the risk 1 - confidence goes to excluding, half to confirming: 1 / (n (n + 1)) of it to a limit's n-th
candidate, evenly over its looks.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from accsearch.methods.info import Kind
from accsearch.results.stats import paired_loss_bound, prompts_needed
from accsearch.search.costs import Band, Costs, costs_of, to_trace
from accsearch.search.exclusion import Fallback, looks, share
from accsearch.search.limit_state import LimitState
from accsearch.search.measure import Measure, Unmeasurable
from accsearch.search.outcome import Bound, Fate, SearchResult, Settled
from accsearch.search.race import Race
from accsearch.task import BASELINE, Trial

CONFIRMING_LOOKS = 4
"""How often a confirmation may look; each look doubles the fresh prompts."""
TIMING_ROUNDS = 3
"""How often the candidates whose times cannot be distinguished are timed again before the fastest is chosen."""
TRACES = 3
"""In how many traced configurations each kind of call is timed, so that one disturbed run decides nothing."""


@dataclass(frozen=True)
class SearchSettings:
    """What to search for: `batches` of prompts to race on, and `fresh_prompts` for the first look of a confirmation."""

    limits: tuple[float, ...]
    batches: int
    fresh_prompts: int
    confidence: float = 0.95

    @property
    def most_fresh_prompts(self) -> int:
        """Return how many prompts the last look of a confirmation takes."""
        return self.fresh_prompts << (CONFIRMING_LOOKS - 1)

    @property
    def half_risk(self) -> float:
        return (1 - self.confidence) / 2


def search(
    calls: Mapping[str, tuple[Kind, ...]],
    trials: Sequence[Trial],
    measure: Measure,
    settings: SearchSettings,
    say: Callable[[Settled], None] = lambda _: None,
) -> SearchResult:
    """Return the upper bound under each limit. `calls` are the calls of every trial and of the baseline, by id.

    `say` hears of each configuration as it is settled. Raises nothing of its own; what `measure` raises besides
    Unmeasurable passes through.
    """
    return _Search(calls, trials, measure, settings, say).run()


class _Search:
    def __init__(
        self,
        calls: Mapping[str, tuple[Kind, ...]],
        trials: Sequence[Trial],
        measure: Measure,
        settings: SearchSettings,
        say: Callable[[Settled], None],
    ) -> None:
        self._calls = calls
        self._trials = {trial.id: trial for trial in trials}
        self._measure = measure
        self._settings = settings
        self._say = say
        self._settled: dict[str, Settled] = {}
        self._races: dict[str, Race] = {}
        self._excluded: dict[str, set[float]] = {}
        self._band = Band(settings.half_risk)
        self._order: list[tuple[float, Trial]] = []
        self._next = 0
        self._limits = [LimitState(value, Fallback(settings.half_risk)) for value in sorted(settings.limits)]

    def run(self) -> SearchResult:
        traced = to_trace({id_: self._calls[id_] for id_ in (BASELINE, *self._trials)}, TRACES)
        self._predict(self._trace(traced))
        while True:
            self._race_on()
            pending = [limit for limit in self._limits if self._has_news(limit)]
            if not pending or self._measure.exhausted():
                break
            for limit in pending:
                self._confirm(limit)
        self._settle_the_rest()
        bounds = tuple(self._bound(limit) for limit in self._limits)
        width = self._band.half_width(len(self._order) - self._next)
        return SearchResult(bounds, self._settled, width, tuple(traced))

    def _trace(self, ids: Sequence[str]) -> Costs:
        traces = []
        for id_ in ids:
            trial = self._trials.get(id_, Trial(BASELINE, {}))
            try:
                traces.append(self._measure.trace(trial))
            except Unmeasurable as error:
                self._settle(trial, Fate.FAILED, str(error))
        return costs_of(traces)

    def _predict(self, costs: Costs) -> None:
        """Fix the order; what cannot be predicted comes first, so that it is measured."""
        baseline = costs.predict(self._calls[BASELINE])
        assert baseline is not None, "the baseline is always traced"
        predicted = {id_: costs.predict(self._calls[id_]) for id_ in self._trials if id_ not in self._settled}
        relative = [
            (0.0 if seconds is None else seconds / baseline, self._trials[id_])
            for id_, seconds in predicted.items()
        ]
        self._order = sorted(relative, key=lambda pair: pair[0])

    def _race_on(self) -> None:
        """Measure down the order until every limit has an answer or a candidate that nothing left can beat."""
        while self._next < len(self._order) and not self._measure.exhausted():
            predicted, trial = self._order[self._next]
            wanted = [limit for limit in self._limits if self._may_beat(limit, predicted)]
            if not wanted:
                return
            self._next += 1
            try:
                self._race(trial, predicted, wanted)
            except Unmeasurable as error:
                self._settle(trial, Fate.FAILED, str(error))
                for limit in wanted:
                    limit.fallback.settle(excluded=False)

    def _may_beat(self, limit: LimitState, predicted: float) -> bool:
        best = limit.answer[0] if limit.answer else limit.best()
        if best is None:
            return True
        left = len(self._order) - self._next
        return self._band.lower(predicted, left) < best.relative_seconds

    def _race(self, trial: Trial, predicted: float, wanted: list[LimitState]) -> None:
        race = Race(trial)
        risks = {limit.value: limit.fallback.available() for limit in wanted}
        open_limits = list(wanted)
        slower, times = False, looks(self._settings.batches)
        for number in range(self._settings.batches):
            race.add(self._measure.batch(trial, number))
            if number + 1 in times:
                open_limits = [
                    limit
                    for limit in open_limits
                    if race.exceeds(limit.value) > risks[limit.value] / len(times)
                ]
            if not open_limits:
                break
            if all(self._is_slower(race, limit) for limit in open_limits):
                slower = True
                break
            if self._measure.exhausted():
                break
        self._races[trial.id] = race
        if predicted > 0 and len(race.batches) > 1:
            half_width = race.half_width(self._settings.half_risk)
            self._band.saw(predicted, race.relative_seconds, race.standard_error, half_width)
        kept = {limit.value for limit in open_limits}
        self._excluded[trial.id] = {limit.value for limit in wanted} - kept
        for limit in wanted:
            limit.fallback.settle(excluded=limit.value not in kept)
        self._judge(race, open_limits, slower)

    def _is_slower(self, race: Race, limit: LimitState) -> bool:
        best = limit.answer[0] if limit.answer else limit.best()
        return best is not None and self._gap(race, best) > 0

    def _gap(self, slower: Race, faster: Race) -> float:
        """Return by how much, as a logarithm, `slower` takes longer beyond both intervals; negative if they meet."""
        risk = self._settings.half_risk
        apart = math.log(slower.relative_seconds / faster.relative_seconds)
        return apart - slower.half_width(risk) - faster.half_width(risk)

    def _judge(self, race: Race, open_limits: list[LimitState], slower: bool) -> None:
        loss = "undefined" if race.loss is None else f"{100 * race.loss:.2f} %"
        figures = f"{1 / race.relative_seconds:.2f}x, loss {loss} over {race.prompts} prompts"
        if not open_limits:
            self._settle(race.trial, Fate.EXCLUDED, f"above every open limit: {figures}", race.prompts)
            return
        if slower:
            self._settle(race.trial, Fate.SLOWER, f"slower than the answer so far: {figures}", race.prompts)
            return
        complete = len(race.batches) == self._settings.batches
        needed = [(race.prompts_needed(limit.value), limit) for limit in open_limits]
        for count, limit in needed:
            if complete and count is not None and count <= self._settings.most_fresh_prompts:
                limit.candidates.append(race)
        within = next((limit for limit in open_limits if race.is_within(limit.value)), None)
        if within is not None:
            self._settle(race.trial, Fate.WITHIN, f"within {_percent(within.value)}: {figures}", race.prompts)
            return
        decide = [f"{count} prompts would decide {_percent(limit.value)}" for count, limit in needed if count]
        why = "; ".join([f"undecided: {figures}", *decide])
        self._settle(race.trial, Fate.UNRESOLVED, why, race.prompts)

    def _has_news(self, limit: LimitState) -> bool:
        """Say whether there is a candidate to confirm: any without an answer, else one surely faster than it."""
        best = limit.best()
        if best is None or limit.answer is None:
            return best is not None
        return best is not limit.answer[0] and self._gap(limit.answer[0], best) > 0

    def _confirm(self, limit: LimitState) -> None:
        """Refine the time of candidates that may be the fastest, then confirm the fastest on fresh prompts."""
        for _ in range(TIMING_ROUNDS):
            contenders = list(self._contenders(limit))
            if len(contenders) == 1:
                break
            for race in contenders:
                race.log_ratios.extend(self._measure.log_ratios(race.trial))
        best = limit.best()
        assert best is not None
        risk = share(self._settings.half_risk, len(limit.tried) + 1) / CONFIRMING_LOOKS
        for look in range(CONFIRMING_LOOKS):
            found = self._measure.confirm(best.trial, self._settings.fresh_prompts << look)
            upper = paired_loss_bound(found.baseline_scores, found.scores, risk)
            if upper is not None and upper <= limit.value:
                limit.answer = (best, found, upper)
                return
            # Giving up early can lose an answer but never makes a wrong one.
            needed = prompts_needed(found.baseline_scores, found.scores, limit.value, risk)
            if self._measure.exhausted() or needed is None or needed > self._settings.most_fresh_prompts:
                break
        limit.tried.add(best.trial.id)

    def _contenders(self, limit: LimitState) -> Iterator[Race]:
        """Yield the candidates that may be as fast as the fastest within the error of their times, and the fastest."""
        best = limit.best()
        assert best is not None
        for race in list(limit.candidates):
            if race.trial.id not in limit.tried and (race is best or not self._is_slower(race, limit)):
                yield race

    def _settle(self, trial: Trial, state: Fate, why: str, prompts: int = 0) -> None:
        self._settled[trial.id] = Settled(trial, state, why, prompts)
        self._say(self._settled[trial.id])

    def _settle_the_rest(self) -> None:
        left = self._order[self._next :]
        spent = self._measure.exhausted()
        for predicted, trial in left:
            lowest = self._band.lower(predicted, len(left))
            if spent and any(self._may_beat(limit, predicted) for limit in self._limits):
                self._settle(trial, Fate.NOT_REACHED, "the budget ended first")
            else:
                why = f"predicted to take at least {lowest:.2f} of the baseline's time, longer than every answer"
                self._settle(trial, Fate.SLOWER, why)

    def _bound(self, limit: LimitState) -> Bound:
        faster = tuple(id_ for id_ in self._settled if self._may_be_faster(id_, limit))
        if limit.answer is None:
            return Bound(limit.value, None, faster=faster)
        race, confirmation, upper = limit.answer
        return Bound(limit.value, race.trial, confirmation.speedup, confirmation, upper, faster)

    def _may_be_faster(self, id_: str, limit: LimitState) -> bool:
        """Say whether a configuration that is not excluded for `limit` may be faster than its answer."""
        state = self._settled[id_].state
        if state is Fate.NOT_REACHED:
            return True
        race = self._races.get(id_)
        if race is None or limit.value in self._excluded[id_]:
            return False
        answer = limit.answer[0] if limit.answer else None
        if answer is None:
            return True
        return race is not answer and not self._is_slower(race, limit)


def _percent(share: float) -> str:
    return f"{100 * share:g} %"
