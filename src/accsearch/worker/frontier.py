"""The last pass over a task: precise times for those trials that `best` may print."""

import time
from collections.abc import Callable, Mapping

from accsearch.errors import AccsearchError
from accsearch.result_lines.frontier import rough_answers, rough_frontier
from accsearch.result_lines.line import ResultLine
from accsearch.worker.baseline import Baseline
from accsearch.worker.fatal_errors import end_if_fatal, one_line
from accsearch.worker.loaded_task import LoadedTask
from accsearch.worker.measurement import measure_pairs
from accsearch.worker.probing import Write
from accsearch.worker.record import Recorder
from accsearch.worker.terminal import say

SHARE = 0.1
"""What the pass may take of the time that the trials took. Every answer is timed by `repeats` pairs in any case."""


def refine_frontier(
    loaded: LoadedTask,
    recorder: Recorder,
    baseline: Baseline,
    lines: Mapping[str, ResultLine],
    seconds: float,
    write: Write,
    report: Callable[[ResultLine], None],
) -> None:
    """Time trials of `lines` in turn with the baseline until the answers under all limits are timed so.

    After each trial it is judged anew which are answers. While less than a share of `seconds`, what the trials took so
    far, is spent, other trials follow that may be an answer. A trial that cannot be timed again keeps its line.
    """
    task, limits = recorder.assignment.task, recorder.assignment.config.search.max_score_loss
    end = time.perf_counter() + SHARE * seconds
    found, left = dict(lines), dict(lines)

    def is_over() -> bool:
        return time.perf_counter() > end

    while True:
        rough = rough_answers(task, found, limits)
        if not is_over():
            rough += rough_frontier(task, found, limits)
        line = next((each for each in rough if each.trial in left), None)
        if line is None:
            return
        del left[line.trial]
        assert line.seconds_per_image is not None
        try:
            usual = line.seconds_per_image * line.batch_size
            paired = measure_pairs(loaded, line.methods, line.batch_size, usual, is_over)
            if paired.conditions.strangers:
                # As for the trials: once more, and if it happens again the line says so.
                paired = measure_pairs(loaded, line.methods, line.batch_size, usual, is_over)
        except AccsearchError:
            raise
        except Exception as error:  # noqa: BLE001 - of any kind; the trial has its figures from the batches
            end_if_fatal(error)
            say(f"{line.trial}: not timed again: {one_line(error)}")
            continue
        found[line.trial] = refined = recorder.paired(line, paired, baseline)
        write(refined)
        report(refined)
