"""What is kept and said of a task's trials while they are measured: result lines, images, the log."""

from collections import Counter
from pathlib import Path
from typing import Any

from accsearch.result_lines.file import append
from accsearch.result_lines.line import ResultLine
from accsearch.task import Trial, WorkerExit
from accsearch.worker.fatal_errors import end_if_fatal, one_line
from accsearch.worker.images import Images, InvalidImages
from accsearch.worker.record import Recorder
from accsearch.worker.terminal import say


class TrialLog:
    """Writes the line of each trial as it ends and prints what became of it.

    `lines` are the last ones of each trial, `done` how many trials have an end, which `bar` shows on a terminal.
    """

    def __init__(self, recorder: Recorder, bar: Any) -> None:
        self._recorder = recorder
        self._assignment = recorder.assignment
        self._bar = bar
        self._failures: list[tuple[str, str, bool]] = []
        self.lines: dict[str, ResultLine] = {}
        self.done = 0

    def is_measured(self, trial: Trial) -> bool:
        """Say whether a trial has a result."""
        return trial.id in self.lines and self.lines[trial.id].status == "ok"

    def write(self, line: ResultLine) -> None:
        """Append a line to the results."""
        if line.condition is None:
            self.lines[line.trial] = line
        append(self._assignment.paths.results, line)

    def keep(self, trial: str, images: Images) -> None:
        """Save a trial's images where the configuration asks for them."""
        if self._assignment.config.worker.keep_images:
            images.save(Path(self._assignment.paths.images) / trial)

    def failed(self, trial: Trial, error: Exception) -> ResultLine:
        """Write the failure of a trial; raises TaskEnded where after it the others would fail too."""
        invalid = isinstance(error, InvalidImages)
        message = str(error) if invalid else one_line(error)
        line = self._recorder.failed(trial, message)
        self.write(line)
        self._failures.append((trial.id, message, invalid))
        self.say(f"{trial.id}: failed: {message}")
        end_if_fatal(error)
        return line

    def left_out(self, trial: Trial, why: str) -> ResultLine:
        """Write that a trial was not measured, and why."""
        line = self._recorder.pruned(trial, why)
        self.write(line)
        self.say(f"{trial.id}: left out: {why}")
        return line

    def say(self, text: str) -> None:
        """Print what became of a trial, after how many are done."""
        say(f"[{self.done}/{len(self._assignment.task.trials)}] {text}")
        self._bar.update(self.done - self._bar.n)

    def report(self, line: ResultLine) -> None:
        """Print the figures of a trial."""
        interval = f" [{line.speedup_ci95[0]:.2f}, {line.speedup_ci95[1]:.2f}]" if line.speedup_ci95 else ""
        score = "" if line.clip_score is None else f", clip score {line.clip_score:.2f}"
        lost = "" if line.score_loss is None else f", score loss {100 * line.score_loss:.2f} %"
        idle = ", changes nothing" if line.active is False else ""
        way = ", timed in pairs" if line.timing == "pairs" else ""
        note = f" (note: {line.note})" if line.note else ""
        self.say(
            f"{line.trial}: {line.seconds_per_image:.3f} s per image, "
            f"speed-up {line.speedup:.2f}x{interval}{score}{lost}{idle}{way}{note}"
        )

    def summary(self) -> int:
        """Print what failed; return the worker's exit code."""
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
