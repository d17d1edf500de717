"""Search a task for the upper bound: race its trials, confirm the answers, write what was proved."""

import math
from collections.abc import Mapping
from dataclasses import replace

from accsearch.report.best import row_lines
from accsearch.report.text import confirmation as confirmation_text
from accsearch.report.text import percent, speedup
from accsearch.result_lines.best import best
from accsearch.result_lines.candidates import TaskResults
from accsearch.result_lines.line import ResultLine
from accsearch.result_lines.proof import LimitProof, OpenState, Proof
from accsearch.search.measure import Confirmation
from accsearch.search.outcome import Bound, Fate, SearchResult, Settled
from accsearch.search.settings import SearchSettings
from accsearch.search.upper_bound import search
from accsearch.task import BASELINE, Trial
from accsearch.worker.baseline import Baseline
from accsearch.worker.budget import Budget
from accsearch.worker.confirmations import Confirmations
from accsearch.worker.fresh_prompts import FreshPrompts
from accsearch.worker.images import Images
from accsearch.worker.loaded_task import LoadedTask
from accsearch.worker.measurement import Measured, Paired
from accsearch.worker.methods.session import Unsupported
from accsearch.worker.monitor import Conditions
from accsearch.worker.paired_times import speedup as paired_speedup
from accsearch.worker.racing import PLAIN, Racing
from accsearch.worker.record import Recorder
from accsearch.worker.stopwatch import Times
from accsearch.worker.terminal import say
from accsearch.worker.trial_log import TrialLog


def search_upper_bound(
    loaded: LoadedTask,
    recorder: Recorder,
    log: TrialLog,
    measured: Measured,
    baseline: Baseline,
    stored: Mapping[str, ResultLine],
) -> None:
    """Search the task's trials beside the baseline, which was just `measured`; every trial gets its line.

    `stored` are lines of earlier attempts, by trial, that may hold a part of a trial's prompts. Raises TaskEnded where
    nothing more can be measured in this process.
    """
    _Search(loaded, recorder, log, measured, baseline, stored).run()


class _Search:
    """Fulfils `search.outcome.Progress`."""

    def __init__(
        self,
        loaded: LoadedTask,
        recorder: Recorder,
        log: TrialLog,
        measured: Measured,
        baseline: Baseline,
        stored: Mapping[str, ResultLine],
    ) -> None:
        self._recorder = recorder
        self._log = log
        # What a search left out does not stand, but its line does until another is written.
        log.lines = {**stored, **log.lines}
        self._measured = measured
        self._baseline = baseline
        self._stored = stored
        self._warmup = loaded.assignment.config.worker.warmup
        self._trials = [trial for trial in loaded.assignment.task.trials if trial.id != BASELINE]
        self._ended: set[str] = set()
        wanted, size = loaded.assignment.config.search, loaded.assignment.batch_size
        batches = len(loaded.workload.batches(size))
        self._settings = SearchSettings(
            wanted.max_score_loss,
            batches,
            # Whole batches, so that each is timed.
            fresh_prompts=batches * size,
            confidence=wanted.confidence,
            confirm=wanted.confirm,
            target=wanted.target_speedup,
        )
        fresh = FreshPrompts(loaded, batches * size, self._settings.most_fresh_prompts)
        self._say_plan(loaded, fresh)
        self._confirmations = Confirmations(fresh, size, loaded.assignment.config.worker, stored)
        self._racing = Racing(
            loaded, baseline, stored, self._confirmations, Budget(wanted.budget), self._cannot_be_measured
        )

    def run(self) -> None:
        self._write_proof(self._unfinished())
        calls = {BASELINE: self._racing.calls(PLAIN)}
        calls |= {trial.id: self._racing.calls(trial) for trial in self._trials}
        try:
            result = search(calls, self._trials, self._racing, self._settings, self)
        finally:
            self._racing.close()
        self._write_in_turn()
        self._write_proof(self._proof(result))
        self._say_answer(result)

    def settled(self, settled: Settled) -> None:
        """Write the line of a trial and say what became of it."""
        trial = settled.trial
        if settled.state is Fate.FAILED:
            return
        self._end(trial)
        self._racing.close()
        self._racing.budget.trials += settled.prompts > 0
        if settled.prompts == 0:
            self._not_raced(settled)
        elif self._racing.is_stored(trial):
            self._restate(settled)
        else:
            self._write(settled)
        self._racing.forget(trial)

    def confirmed(self, trial: Trial, limit: float, found: Confirmation, *, holds: bool) -> None:
        """Add the confirmed figures to the winner's line, and say whether it holds on fresh prompts."""
        known = self._confirmations.confirmed(trial)
        line = self._log.lines[trial.id]
        if holds and line.confirmed != known:
            self._log.write(replace(line, confirmed=known))
        loss = percent(known.score_loss, known.score_loss_ci95)
        figures = f"{speedup(known.speedup, known.speedup_ci95)}, loss {loss}"
        on = confirmation_text(known.to_json(evidence=False))
        verdict = on if holds else f"not {on}"
        self._log.say(f"{trial.id}: within {100 * limit:g} %: {verdict}: {figures}")

    def _cannot_be_measured(self, trial: Trial, error: Exception) -> None:
        self._end(trial)
        if isinstance(error, Unsupported):
            self._log.left_out(trial, str(error))
        else:
            self._log.failed(trial, error)

    def _end(self, trial: Trial) -> None:
        self._ended.add(trial.id)
        self._log.done = len(self._ended) + 1

    def _not_raced(self, settled: Settled) -> None:
        """Write why a trial was not raced, unless an earlier attempt has measured it."""
        line = self._stored.get(settled.trial.id)
        if line is None:
            self._log.left_out(settled.trial, settled.why)
        elif line.status == "pruned":
            self._restate(settled)

    def _restate(self, settled: Settled) -> None:
        line = self._stored[settled.trial.id]
        if line.status == "pruned" and not (line.note or "").startswith(settled.why):
            self._log.write(replace(line, note=settled.why))
        self._log.say(f"{settled.trial.id}: as before: {settled.why}")

    def _write(self, settled: Settled) -> None:
        trial, raced = settled.trial, self._racing.raced[settled.trial.id]
        measured = raced.measured(self._warmup)
        count = raced.prompts
        part = replace(
            self._baseline,
            images=Images(self._baseline.images.pixels[:count]),
            scores=self._baseline.scores[:count],
        )
        line = self._recorder.trial(trial, measured, part)
        if count == len(self._baseline.scores):
            self._baseline.saw(trial, measured.images)
            self._log.keep(trial.id, measured.images)
            self._log.write(line)
        else:
            note = "; ".join(filter(None, (settled.why, line.note)))
            self._log.write(replace(line, status="pruned", note=note))
        predicted = "" if settled.predicted is None else f"; predicted {speedup(1 / settled.predicted)}"
        disturbed = f" (note: {line.note})" if line.note else ""
        self._log.say(f"{trial.id}: {settled.why}{predicted}{disturbed}")

    def _write_in_turn(self) -> None:
        """Write the lines of trials again that were timed in turn with the baseline, with these times."""
        for trial, sets in self._racing.in_turn.items():
            if self._log.lines[trial].status != "ok":
                continue
            own = [seconds for times in sets for seconds in times.trial]
            plain = [seconds for times in sets for seconds in times.baseline]
            ratios = [math.log(base / each) for base, each in zip(plain, own, strict=True)]
            gain = paired_speedup(ratios, len(ratios), len(ratios))
            paired = Paired(Times(tuple(own), tuple(plain), gain), Conditions())
            self._log.write(self._recorder.paired(self._log.lines[trial], paired, self._baseline))

    def _write_proof(self, proof: Proof) -> None:
        """Write the baseline's line with all its times so far and what is proved."""
        line = self._recorder.baseline(self._measured, self._baseline.times)
        self._log.write(replace(line, search=proof))

    def _unfinished(self) -> Proof:
        nothing: dict[str, OpenState] = {trial.id: "not reached" for trial in self._trials}
        bounds = tuple(LimitProof(limit, None, nothing) for limit in self._settings.limits)
        return Proof(self._settings.confidence, self._settings.confirm, math.log(2), bounds, "unfinished")

    def _proof(self, result: SearchResult) -> Proof:
        bounds = tuple(
            LimitProof(
                bound.limit,
                None if bound.trial is None else bound.trial.id,
                {trial: _open_state(trial, bound, result) for trial in bound.faster},
            )
            for bound in result.bounds
        )
        return Proof(self._settings.confidence, self._settings.confirm, result.band, bounds, result.ended)

    def _say_plan(self, loaded: LoadedTask, fresh: FreshPrompts) -> None:
        limits = ", ".join(f"{100 * limit:g} %" for limit in self._settings.limits)
        confidence = f"{100 * self._settings.confidence:g} %"
        say(
            f"searching {len(self._trials)} trials for the upper bound within {limits}, confidence {confidence}"
        )
        used, left = len(loaded.workload.prompts), len(fresh.fresh)
        if self._settings.confirm and left < self._settings.fresh_prompts:
            say(
                f"note: the prompts' source has {left} besides the {used} of the search: a confirmation goes on with"
                " prompts seen before and new seeds, so it holds for new images of these prompts, not for new prompts"
            )

    def _say_answer(self, result: SearchResult) -> None:
        measured = [each for each in result.settled.values() if each.prompts]
        off = 1 - math.exp(-result.band)
        say(
            f"{len(measured)} of {len(self._trials)} trials were raced, {len(result.traced)} timed call by call; "
            f"what was not raced is taken to be up to {100 * off:.1f} % faster than predicted"
        )
        task = self._recorder.assignment.task
        for row in best([TaskResults(task, self._log.lines)], self._settings.limits).rows:
            for line in row_lines(row.to_json()):
                say(line)


def _open_state(trial: str, bound: Bound, result: SearchResult) -> OpenState:
    if result.settled[trial].state is Fate.NOT_REACHED:
        return "not reached"
    return "unconfirmed" if trial in bound.unconfirmed else "unresolved"
