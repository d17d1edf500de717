"""Probes of the baseline between trials, and what they change in lines already written."""

from collections.abc import Callable

from accsearch.result_lines.line import ResultLine
from accsearch.worker.baseline import Baseline
from accsearch.worker.baseline_times import Change
from accsearch.worker.loaded_task import LoadedTask
from accsearch.worker.measurement import Measured
from accsearch.worker.record import Recorder

Write = Callable[[ResultLine], None]


class Probing:
    """Keeps the times of `baseline` up to date while trials are measured.

    A probe follows a trial's runs at once, so that it finds the machine as they left it: after a pause a GPU may be
    faster. Where the machine changed, the lines of trials since the last probe are written again, with intervals that
    reach from one state of the machine to the other.
    """

    def __init__(self, loaded: LoadedTask, recorder: Recorder, baseline: Baseline, write: Write) -> None:
        self._loaded = loaded
        self._recorder = recorder
        self._baseline = baseline
        self._write = write
        self._since: list[tuple[ResultLine, Measured]] = []
        self._changes: list[Change | None] = []
        """What each probe found since lines were settled."""

    def after_runs(self) -> None:
        """Probe the baseline, if it is due; the methods of the trial that has just run must be off the pipeline."""
        if self._baseline.is_due:
            self._probe()

    def ran(self, line: ResultLine, measured: Measured) -> None:
        """Take in the line of the trial that ran last."""
        self._since.append((line, measured))
        self._settle()

    def end(self) -> None:
        """Probe the baseline, if a trial was measured since it last ran."""
        if self._since:
            self._probe()
            self._settle()

    def _probe(self) -> None:
        self._changes.append(self._baseline.probe(self._loaded, self._recorder.assignment.batch_size))

    def _settle(self) -> None:
        """Leave the lines so far as they are, or write them again, if there was a probe."""
        if not self._changes:
            return
        for change in filter(None, self._changes):
            for line, measured in self._since:
                self._write(self._recorder.across(line, measured, self._baseline.times, change))
        self._since.clear()
        self._changes.clear()
