"""Find the fastest configuration within each limit, and prove it, without measuring every configuration.

1. *Predict.* A few configurations that together make every kind of denoiser call three times are timed call by call;
   from those costs the time of all is predicted. The order, fastest first, is fixed then.
2. *Race.* Down that order prompts are added batch by batch until the loss is above every limit still open
   (`exclusion`), more prompts are unlikely to decide (`foresight`), or the prompts end. What then might be shown to be
   within a limit by the prompts of a confirmation is a candidate for it; if the time of the fastest is rough, it is
   timed in turn with the baseline at once. A limit closes when all that are not measured are surely slower than a
   candidate, by the prediction's band (`costs.Band`), which each measurement corrects.
3. *Confirm.* The fastest candidate is measured on fresh prompts and seeds, doubled from look to look until its loss is
   within the limit beyond doubt; if it does not hold, the limit opens again and the next candidate is tried.

What is not faster than the baseline is no candidate, and what must be slower than it is not measured. With a target the
search ends as soon as an answer surely is as fast; at a budget's end the fastest candidate has one look.

Half of the risk 1 - confidence goes to excluding, half to confirming: 1 / (n (n + 1)) of it to a limit's n-th
candidate, evenly over its looks.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

from accsearch.methods.info import Kind
from accsearch.search.confirming import confirm
from accsearch.search.costs import Band, Costs, costs_of, to_trace
from accsearch.search.exclusion import Fallback, looks
from accsearch.search.foresight import chance_above, chance_within
from accsearch.search.limit_state import LimitState
from accsearch.search.measure import Measure, Unmeasurable
from accsearch.search.outcome import Bound, Fate, Progress, SearchResult, Settled, Silent
from accsearch.search.race import Race
from accsearch.search.settings import SearchSettings
from accsearch.task import BASELINE, Trial

TRACES = 3
"""In how many traced configurations each kind of call is timed, so that one disturbed run decides nothing."""
ROUGH = 0.05
"""Half-width of a time, as a logarithm, that is too wide to leave other configurations out by."""
TAUGHT = 8
"""Until the band has learnt from so many configurations, one that is excluded is raced on until its time is known."""
SMALLEST_CHANCE = 0.2
"""Smaller chances of a decision are not worth the rest of a configuration's prompts; it is unresolved then."""


def search(
    calls: Mapping[str, tuple[Kind, ...]],
    trials: Sequence[Trial],
    measure: Measure,
    settings: SearchSettings,
    progress: Progress | None = None,
) -> SearchResult:
    """Return the upper bound under each limit. `calls` are the calls of every trial and of the baseline, by id.

    Raises nothing of its own; what `measure` raises besides Unmeasurable passes through.
    """
    return _Search(calls, trials, measure, settings, progress or Silent()).run()


class _Search:
    def __init__(
        self,
        calls: Mapping[str, tuple[Kind, ...]],
        trials: Sequence[Trial],
        measure: Measure,
        settings: SearchSettings,
        progress: Progress,
    ) -> None:
        self._calls = calls
        self._trials = {trial.id: trial for trial in trials}
        self._measure = measure
        self._settings = settings
        self._progress = progress
        self._settled: dict[str, Settled] = {}
        self._races: dict[str, Race] = {}
        self._excluded: dict[str, set[float]] = {}
        self._band = Band(settings.half_risk)
        self._predicted: dict[str, float] = {}
        self._order: list[tuple[float, Trial]] = []
        self._next = 0
        self._limits = [LimitState(value, Fallback(settings.half_risk)) for value in sorted(settings.limits)]

    def run(self) -> SearchResult:
        traced = to_trace({id_: self._calls[id_] for id_ in (BASELINE, *self._trials)}, TRACES)
        self._predict(self._trace(traced))
        while True:
            self._race_on()
            pending = [limit for limit in self._limits if self._has_news(limit)]
            for limit in pending:
                self._confirm(limit)
            if not pending or self._measure.exhausted() or self._target_reached():
                break
        ended = self._settle_the_rest()
        bounds = tuple(self._bound(limit) for limit in self._limits)
        return SearchResult(bounds, self._settled, self._band.half_width(), tuple(traced), ended)

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
        self._predicted = {id_: each / baseline for id_, each in predicted.items() if each is not None}
        relative = [(self._predicted.get(id_, 0.0), self._trials[id_]) for id_ in predicted]
        self._order = sorted(relative, key=lambda pair: pair[0])

    def _race_on(self) -> None:
        """Measure down the order until every limit has an answer or a candidate that nothing left can beat."""
        while self._next < len(self._order) and not self._measure.exhausted():
            if any(self._has_news(limit) and self._reaches_target(limit.best()) for limit in self._limits):
                return
            predicted, trial = self._order[self._next]
            wanted = [limit for limit in self._limits if self._may_be_beaten(limit, self._next)]
            if not wanted:
                return
            self._next += 1
            try:
                self._race(trial, predicted, wanted)
            except Unmeasurable as error:
                self._settle(trial, Fate.FAILED, str(error))
                for limit in wanted:
                    limit.fallback.settle(excluded=False)

    def _may_be_beaten(self, limit: LimitState, first: int) -> bool:
        """Say whether a limit's answer, else its fastest candidate, may be slower than what comes from `first` on."""
        bar = limit.bar()
        left = [predicted for predicted, _ in self._order[first:]]
        return not self._band.surely_longer(left, 1.0 if bar is None else bar.relative_seconds)

    def _race(self, trial: Trial, predicted: float, wanted: list[LimitState]) -> None:
        race = Race(trial)
        risks = {limit.value: limit.fallback.available() for limit in wanted}
        open_limits, slower, hopeless = list(wanted), False, False
        times = looks(self._settings.batches)
        for number in range(self._settings.batches):
            race.add(self._measure.batch(trial, number))
            if number + 1 in times:
                open_limits = [
                    limit
                    for limit in open_limits
                    if race.exceeds(limit.value) > risks[limit.value] / len(times)
                ]
            if not open_limits:
                if self._teaches(race, predicted):
                    continue
                break
            if all(self._is_slower(race, limit) for limit in open_limits):
                slower = True
                break
            if number + 1 in times[1:] and all(self._is_hopeless(race, limit) for limit in open_limits):
                hopeless = True
                break
            if self._measure.exhausted():
                break
        slower = slower or self._time_rough(race, open_limits)
        self._races[trial.id] = race
        half_width = race.half_width(self._settings.half_risk)
        if predicted > 0 and math.isfinite(half_width):
            self._band.saw(predicted, race.relative_seconds, race.standard_error, half_width)
        kept = {limit.value for limit in open_limits}
        self._excluded[trial.id] = {limit.value for limit in wanted} - kept
        for limit in wanted:
            limit.fallback.settle(excluded=limit.value not in kept)
        self._judge(race, open_limits, slower, hopeless)

    def _teaches(self, race: Race, predicted: float) -> bool:
        """Say whether the band, young as it is, would learn from a further batch of what is excluded already."""
        known = math.isfinite(race.half_width(self._settings.half_risk))
        return self._band.count < TAUGHT and predicted > 0 and not known and not self._measure.exhausted()

    def _time_rough(self, race: Race, open_limits: Sequence[LimitState]) -> bool:
        """Time a new fastest candidate in turn with the baseline if its time is rough; return whether it is slower."""
        whole = len(race.batches) == self._settings.batches and race.active and not self._measure.exhausted()
        leads = whole and any(
            self._is_candidate(race, limit) and limit.is_led_by(race) for limit in open_limits
        )
        if not leads or race.half_width(self._settings.half_risk) <= ROUGH:
            return False
        race.pairs.extend(self._measure.log_ratios(race.trial))
        return all(self._is_slower(race, limit) for limit in open_limits)

    def _is_slower(self, race: Race, limit: LimitState) -> bool:
        return race.longer_than(limit.bar(), self._settings.half_risk) > 0

    def _is_candidate(self, race: Race, limit: LimitState) -> bool:
        return race.relative_seconds < 1 and race.may_be_shown(limit.value, self._settings.most_fresh_prompts)

    def _is_hopeless(self, race: Race, limit: LimitState) -> bool:
        """Say whether the search's prompts will hardly exclude it, nor a confirmation's show it to be within."""
        settings, scores = self._settings, (race.baseline_scores, race.scores)
        prompts = race.prompts * settings.batches // len(race.batches)
        risk = limit.fallback.available() / len(looks(settings.batches))
        within = chance_within(*scores, limit.value, settings.half_risk, settings.most_fresh_prompts)
        return max(within, chance_above(*scores, limit.value, risk, prompts)) < SMALLEST_CHANCE

    def _judge(self, race: Race, open_limits: list[LimitState], slower: bool, hopeless: bool) -> None:
        loss = "undefined" if race.loss is None else f"{100 * race.loss:.2f} %"
        figures = f"{1 / race.relative_seconds:.2f}x, loss {loss} over {race.prompts} prompts"
        if not race.active:
            self._settle(race.trial, Fate.INACTIVE, f"changes nothing: {figures}", race.prompts)
            return
        if not open_limits:
            self._settle(race.trial, Fate.EXCLUDED, f"above every open limit: {figures}", race.prompts)
            return
        if slower:
            self._settle(race.trial, Fate.SLOWER, f"slower than the answer so far: {figures}", race.prompts)
            return
        if len(race.batches) < self._settings.batches and not hopeless:
            self._settle(race.trial, Fate.NOT_REACHED, f"the budget ended first: {figures}", race.prompts)
            return
        for limit in open_limits:
            if self._is_candidate(race, limit):
                limit.candidates.append(race)
        within = next((limit for limit in open_limits if race.is_within(limit.value)), None)
        if within is not None:
            self._settle(race.trial, Fate.WITHIN, f"within {100 * within.value:g} %: {figures}", race.prompts)
            return
        needed = [(race.prompts_needed(limit.value), limit) for limit in open_limits]
        decide = [f"{count} prompts would decide {100 * limit.value:g} %" for count, limit in needed if count]
        why = "; ".join([f"undecided: {figures}", *decide])
        self._settle(race.trial, Fate.UNRESOLVED, why, race.prompts)

    def _has_news(self, limit: LimitState) -> bool:
        """Say whether there is a candidate to confirm: any without an answer, else one surely faster than it."""
        best = limit.best()
        if best is None or limit.answer is None:
            return best is not None
        return best is not limit.answer[0] and limit.answer[0].longer_than(best, self._settings.half_risk) > 0

    def _confirm(self, limit: LimitState) -> None:
        settings, best = self._settings, limit.best()
        if settings.confirm:
            confirm(
                limit,
                self._measure,
                self._progress,
                fresh_prompts=settings.fresh_prompts,
                half_risk=settings.half_risk,
            )
        elif best is not None and best.is_within(limit.value):
            limit.answer = (best, None, None)
        elif best is not None:
            limit.tried.add(best.trial.id)

    def _reaches_target(self, race: Race | None) -> bool:
        target = self._settings.target
        return target is not None and race is not None and race.reaches(target, self._settings.half_risk)

    def _target_reached(self) -> bool:
        """Say whether an answer is surely as fast as the target: by its confirmation, if it has one."""
        target = self._settings.target
        return target is not None and any(
            limit.reaches(target, self._settings.half_risk) for limit in self._limits
        )

    def _settle(self, trial: Trial, state: Fate, why: str, prompts: int = 0) -> None:
        self._settled[trial.id] = Settled(trial, state, why, prompts, self._predicted.get(trial.id))
        self._progress.settled(self._settled[trial.id])

    def _settle_the_rest(self) -> Literal["budget", "target"] | None:
        """Settle what was not measured; return what ended the search if some of it may be faster than an answer."""
        by_target = self._target_reached()
        why_ended = "the target was reached first" if by_target else "the budget ended first"
        slower = self._next
        while slower < len(self._order) and any(self._may_be_beaten(limit, slower) for limit in self._limits):
            slower += 1
        for number, (predicted, trial) in enumerate(self._order[self._next :], self._next):
            if number < slower:
                self._settle(trial, Fate.NOT_REACHED, why_ended)
            else:
                why = f"predicted to take {predicted:.2f} of the baseline's time, longer than every answer"
                self._settle(trial, Fate.SLOWER, why)
        if not any(each.state is Fate.NOT_REACHED for each in self._settled.values()):
            return None
        return "target" if by_target else "budget"

    def _bound(self, limit: LimitState) -> Bound:
        faster = tuple(id_ for id_ in self._settled if self._may_be_faster(id_, limit))
        unconfirmed = frozenset(
            id_ for id_ in faster if (race := self._races.get(id_)) and race.is_within(limit.value)
        )
        if limit.answer is None:
            return Bound(limit.value, None, faster=faster, unconfirmed=unconfirmed | limit.tried)
        race, found, upper = limit.answer
        speedup = 1 / race.relative_seconds if found is None else found.speedup
        tried = limit.tried.intersection(faster)
        return Bound(limit.value, race.trial, speedup, found, upper, faster, unconfirmed | tried)

    def _may_be_faster(self, id_: str, limit: LimitState) -> bool:
        """Say whether a configuration that is not excluded for `limit` may be faster than its answer."""
        state = self._settled[id_].state
        if state is Fate.NOT_REACHED:
            return True
        race = self._races.get(id_)
        if race is None or not race.active or limit.value in self._excluded[id_]:
            return False
        answer = limit.answer[0] if limit.answer else None
        return race is not answer and race.longer_than(answer, self._settings.half_risk) <= 0
