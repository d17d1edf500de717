"""Measure a task's trials one after another, each line written as it ends; a later attempt continues."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from accsearch.errors import AccsearchError
from accsearch.grid.reuse import own_lines, stands
from accsearch.grid.setting import CONFIGURED_BATCH
from accsearch.results.file import append, latest, read
from accsearch.results.line import ResultLine
from accsearch.task import BASELINE, Trial, WorkerExit
from accsearch.worker.assignment import Assignment
from accsearch.worker.baseline import Baseline
from accsearch.worker.fatal_errors import TaskEnded, end_if_fatal, one_line
from accsearch.worker.frontier import refine_frontier
from accsearch.worker.images import Images, InvalidImages
from accsearch.worker.loaded_task import LoadedTask
from accsearch.worker.measurement import Measured, measure_baseline, measure_trial
from accsearch.worker.methods.session import Unsupported
from accsearch.worker.probing import Probing
from accsearch.worker.record import Recorder
from accsearch.worker.stability import conditions, measure_stability
from accsearch.worker.strategy import EveryTrial, Strategy, UpperBound
from accsearch.worker.terminal import progress_bar, say


def wanted(recorder: Recorder) -> dict[str, str]:
    """Return the key that the line of each trial must have, by the line's name, under each condition too."""
    recorders = [recorder, *(each.recorder(recorder) for each in conditions(recorder.assignment))]
    trials = recorder.assignment.task.trials
    return {each.name(trial): each.key(trial.methods) for each in recorders for trial in trials}


def finished(results: Path, keys: Mapping[str, str]) -> dict[str, ResultLine]:
    """Return the lines of earlier attempts that still stand, by name; `keys` are those of `wanted`.

    A line stands through measurements of other settings that were made after it. A trial that the search left out
    is looked at again, a condition that measures nothing new is not.
    """
    own = latest(line for line in read(results) if line.key == keys.get(line.trial))
    return {name: line for name, line in own.items() if stands(line)}


def restate(assignment: Assignment, reused: Mapping[str, ResultLine]) -> None:
    """Append each reused line that readers would not find: one that another setting's came after, or that an
    earlier configuration asked for at another batch size.
    """
    lines = read(assignment.paths.results)
    last, own = latest(lines), own_lines(assignment.config, assignment.task, lines)
    for name, line in reused.items():
        if last[name] != line or own.get(name) != line:
            asked = {CONFIGURED_BATCH: assignment.config.worker.batch_size}
            append(assignment.paths.results, replace(line, environment={**line.environment, **asked}))


def search(loaded: LoadedTask, recorder: Recorder, reused: dict[str, ResultLine]) -> int:
    """Measure what `reused` does not hold, the baseline always; return the worker's exit code.

    `reused` are the lines that stand, by name. Raises TaskEnded where nothing more can be measured in this process.
    """
    with progress_bar(len(recorder.assignment.task.trials), "trial") as bar:
        return _Search(loaded, recorder, bar).run(reused)


class _Search:
    def __init__(self, loaded: LoadedTask, recorder: Recorder, bar: Any) -> None:
        self._loaded = loaded
        self._recorder = recorder
        self._bar = bar
        self._assignment = loaded.assignment
        self._failures: list[tuple[str, str, bool]] = []
        self._lines: dict[str, ResultLine] = {}
        """The last line of each trial."""
        self._done = 0

    def run(self, reused: dict[str, ResultLine]) -> int:
        began, trials = time.perf_counter(), self._assignment.task.trials
        self._lines = {trial.id: reused[trial.id] for trial in trials if trial.id in reused}
        measured, baseline = self._baseline()
        probing = Probing(self._loaded, self._recorder, baseline, self._write)
        order = self._order([trial for trial in trials if trial.id not in {*self._lines, BASELINE}])
        for line in reused.values():
            order.seen(line)
        self._done = len(self._lines)
        self._leave_out(order)
        while (trial := order.next()) is not None:
            order.seen(self._trial(trial, baseline, probing))
            self._leave_out(order)
        probing.probe()
        good = {name: line for name, line in self._lines.items() if line.status == "ok"}
        seconds = time.perf_counter() - began
        refine_frontier(self._loaded, self._recorder, baseline, good, seconds, self._write, self._report)
        # The baseline was measured again between trials; its line now holds all of it.
        self._write(self._recorder.baseline(measured, baseline.times))
        rest = [trial for trial in trials if trial.id in good.keys() - {BASELINE}]
        measure_stability(self._loaded, self._recorder, rest, reused.keys(), self._write)
        return self._summary()

    def _order(self, trials: list[Trial]) -> Strategy:
        search = self._assignment.config.search
        if search.strategy == "upper_bound":
            return UpperBound(trials, search.max_score_loss, search.target_speedup)
        return EveryTrial(trials)

    def _baseline(self) -> tuple[Measured, Baseline]:
        say("Inference Original pipeline...")
        trial = Trial(BASELINE, {})
        try:
            measured = measure_baseline(self._loaded, self._assignment.batch_size)
        except InvalidImages as error:
            self._write(self._recorder.failed(trial, str(error)))
            raise TaskEnded(WorkerExit.VALIDATION, f"the baseline itself: {error}") from error
        except (RuntimeError, MemoryError) as error:
            self._write(self._recorder.failed(trial, one_line(error)))
            end_if_fatal(error)
            raise
        baseline = Baseline.of(measured)
        line = self._recorder.baseline(measured, baseline.times)
        self._write(line)
        self._keep(BASELINE, measured.images)
        score = "no score." if line.clip_score is None else f"clip score: {line.clip_score:.2f}."
        say(f"original inference time: {line.seconds_per_image:.2f} seconds, {score}")
        return measured, baseline

    def _trial(self, trial: Trial, baseline: Baseline, probing: Probing) -> ResultLine:
        self._done += 1
        try:
            measured = measure_trial(self._loaded, trial.methods, self._assignment.batch_size)
            if measured.conditions.strangers:
                # Someone else used the GPU meanwhile: once more, and if it happens again the line says so.
                measured = measure_trial(self._loaded, trial.methods, self._assignment.batch_size)
            line = self._recorder.trial(trial, measured, baseline)
        except AccsearchError:
            raise
        except Unsupported as error:
            return self._left_out(trial, str(error))
        except Exception as error:  # noqa: BLE001 - one trial's failure, of any kind, must not end the others
            return self._failed(trial, error)
        baseline.saw(trial, measured.images)
        self._write(line)
        self._keep(trial.id, measured.images)
        self._report(line)
        probing.ran(line, measured)
        return line

    def _failed(self, trial: Trial, error: Exception) -> ResultLine:
        invalid = isinstance(error, InvalidImages)
        message = str(error) if invalid else one_line(error)
        line = self._recorder.failed(trial, message)
        self._write(line)
        self._failures.append((trial.id, message, invalid))
        self._say(f"{trial.id}: failed: {message}")
        end_if_fatal(error)
        return line

    def _leave_out(self, order: Strategy) -> None:
        for trial, why in order.pruned():
            self._done += 1
            self._left_out(trial, why)

    def _left_out(self, trial: Trial, why: str) -> ResultLine:
        line = self._recorder.pruned(trial, why)
        self._write(line)
        self._say(f"{trial.id}: left out: {why}")
        return line

    def _write(self, line: ResultLine) -> None:
        if line.condition is None:
            self._lines[line.trial] = line
        append(self._assignment.paths.results, line)

    def _keep(self, trial: str, images: Images) -> None:
        if self._assignment.config.worker.keep_images:
            images.save(Path(self._assignment.paths.images) / trial)

    def _say(self, text: str) -> None:
        """Print what became of a trial, after how many are done."""
        say(f"[{self._done}/{len(self._assignment.task.trials)}] {text}")
        self._bar.update(self._done - self._bar.n)

    def _report(self, line: ResultLine) -> None:
        interval = f" [{line.speedup_ci95[0]:.2f}, {line.speedup_ci95[1]:.2f}]" if line.speedup_ci95 else ""
        score = "" if line.clip_score is None else f", clip score {line.clip_score:.2f}"
        lost = "" if line.score_loss is None else f", score loss {100 * line.score_loss:.2f} %"
        idle = ", changes nothing" if line.active is False else ""
        way = ", timed in pairs" if line.timing == "pairs" else ""
        note = f" (note: {line.note})" if line.note else ""
        self._say(
            f"{line.trial}: {line.seconds_per_image:.3f} s per image, "
            f"speed-up {line.speedup:.2f}x{interval}{score}{lost}{idle}{way}{note}"
        )

    def _summary(self) -> int:
        if not self._failures:
            return WorkerExit.OK
        say(f"{len(self._failures)} of {len(self._assignment.task.trials)} trials failed:")
        for trial, message, _ in self._failures:
            say(f"  {trial}: {message}")
        # Last, since a failed task shows the last error of its log: the reason that most of the trials give.
        reasons = Counter(message for _, message, _ in self._failures)
        say(f"error: {reasons.most_common(1)[0][0]}")
        only_invalid = all(invalid for _, _, invalid in self._failures)
        return WorkerExit.VALIDATION if only_invalid else WorkerExit.ERROR
