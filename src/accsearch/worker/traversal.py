"""Measure a task's trials one after another, each line written as it ends; a later attempt continues."""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from accsearch.errors import AccsearchError
from accsearch.grid.reuse import own_lines, proves, stands
from accsearch.grid.setting import CONFIGURED_BATCH
from accsearch.result_lines.file import append, latest, read
from accsearch.result_lines.frontier import answers
from accsearch.result_lines.line import ResultLine
from accsearch.task import BASELINE, Trial, WorkerExit
from accsearch.worker.assignment import Assignment
from accsearch.worker.baseline import Baseline
from accsearch.worker.busy_shares import add_busy_shares
from accsearch.worker.fatal_errors import TaskEnded, end_if_fatal, one_line
from accsearch.worker.frontier import refine_frontier
from accsearch.worker.images import InvalidImages
from accsearch.worker.inert import inert_thresholds
from accsearch.worker.loaded_task import LoadedTask
from accsearch.worker.measurement import Measured, measure_baseline, measure_trial
from accsearch.worker.methods.session import Unsupported
from accsearch.worker.probing import Probing
from accsearch.worker.record import Recorder
from accsearch.worker.stability import conditions, measure_stability
from accsearch.worker.terminal import progress_bar, say
from accsearch.worker.trial_log import TrialLog
from accsearch.worker.upper_bound_search import search_upper_bound


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


def partly_measured(results: Path, keys: Mapping[str, str]) -> dict[str, ResultLine]:
    """Return the last line of each trial that holds scores of all prompts or of the first ones, by trial."""
    own = latest(
        line for line in read(results) if line.key == keys.get(line.trial) and line.condition is None
    )
    own.pop(BASELINE, None)
    return {name: line for name, line in own.items() if line.status != "failed" and line.scores}


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


def search(
    loaded: LoadedTask,
    recorder: Recorder,
    reused: Mapping[str, ResultLine],
    earlier: Mapping[str, ResultLine],
) -> int:
    """Measure what `reused` does not hold, the baseline always; return the worker's exit code.

    `reused` are the lines that stand, by name; `earlier` also those of trials that an upper-bound search left out, with
    what it measured of them. Raises TaskEnded where nothing more can be measured in this process.
    """
    task = recorder.assignment.task
    with progress_bar(len(task.trials), "trial") as bar:
        log = TrialLog(recorder, bar)
        log.lines |= {trial.id: reused[trial.id] for trial in task.trials if trial.id in reused}
        began = time.perf_counter()
        for remark in inert_thresholds(loaded, [trial for trial in task.trials if trial.id not in log.lines]):
            say(f"note: {remark}")
        measured, baseline = _baseline(loaded, recorder, log)
        if proves(recorder.assignment.config):
            search_upper_bound(loaded, recorder, log, measured, baseline, earlier)
        else:
            _traverse(loaded, recorder, log, baseline, began)
            # The baseline was measured again between trials; its line now holds all of it.
            log.write(recorder.baseline(measured, baseline.times))
        rest = [trial for trial in task.trials if log.is_measured(trial) and trial.id != BASELINE]
        measure_stability(loaded, recorder, rest, reused.keys(), log.write)
        # Last of all: what has been profiled is slower from then on, and so is the baseline.
        limits = recorder.assignment.config.search.max_score_loss
        add_busy_shares(loaded, answers(task, log.lines, limits), log.write)
        return log.summary()


def _baseline(loaded: LoadedTask, recorder: Recorder, log: TrialLog) -> tuple[Measured, Baseline]:
    say("Inference Original pipeline...")
    trial = Trial(BASELINE, {})
    try:
        measured = measure_baseline(loaded, recorder.assignment.batch_size)
    except InvalidImages as error:
        log.write(recorder.failed(trial, str(error)))
        raise TaskEnded(WorkerExit.VALIDATION, f"the baseline itself: {error}") from error
    except (RuntimeError, MemoryError) as error:
        log.write(recorder.failed(trial, one_line(error)))
        end_if_fatal(error)
        raise
    baseline = Baseline.of(measured)
    line = recorder.baseline(measured, baseline.times)
    log.write(line)
    log.keep(BASELINE, measured.images)
    score = "no score." if line.clip_score is None else f"clip score: {line.clip_score:.2f}."
    say(f"original inference time: {line.seconds_per_image:.2f} seconds, {score}")
    return measured, baseline


def _traverse(
    loaded: LoadedTask, recorder: Recorder, log: TrialLog, baseline: Baseline, began: float
) -> None:
    """Measure every trial that has no line yet, then those again that `best` may print."""
    probing = Probing(loaded, recorder, baseline, log.write)
    missing = [trial for trial in recorder.assignment.task.trials if trial.id not in log.lines]
    log.done = len(log.lines)
    for trial in missing:
        log.done += 1
        _measure(loaded, recorder, log, baseline, probing, trial)
    probing.end()
    good = {name: line for name, line in log.lines.items() if line.status == "ok"}
    refine_frontier(loaded, recorder, baseline, good, time.perf_counter() - began, log.write, log.report)


def _measure(
    loaded: LoadedTask, recorder: Recorder, log: TrialLog, baseline: Baseline, probing: Probing, trial: Trial
) -> None:
    size = recorder.assignment.batch_size
    try:
        measured = measure_trial(loaded, trial.methods, size, probing.after_runs)
        if measured.conditions.strangers:
            # Someone else used the GPU meanwhile: once more, and if it happens again the line says so.
            measured = measure_trial(loaded, trial.methods, size, probing.after_runs)
        line = recorder.trial(trial, measured, baseline)
    except AccsearchError:
        raise
    except Unsupported as error:
        log.left_out(trial, str(error))
    except Exception as error:  # noqa: BLE001 - one trial's failure, of any kind, must not end the others
        log.failed(trial, error)
    else:
        baseline.saw(trial, measured.images)
        log.write(line)
        log.keep(trial.id, measured.images)
        log.report(line)
        probing.ran(line, measured)
