"""Probes of the baseline between trials, and what they change in lines already written."""

from collections.abc import Callable

from accsearch.result_lines.line import ResultLine
from accsearch.worker.baseline import Baseline
from accsearch.worker.loaded_task import LoadedTask
from accsearch.worker.measurement import Measured
from accsearch.worker.record import Recorder

Write = Callable[[ResultLine], None]


class Probing:
    """Keeps the times of `baseline` up to date while trials are measured.

    Where the machine changed, the lines of trials since the last probe are written again, with intervals that reach
    from one state of the machine to the other.
    """

    def __init__(self, loaded: LoadedTask, recorder: Recorder, baseline: Baseline, write: Write) -> None:
        self._loaded = loaded
        self._recorder = recorder
        self._baseline = baseline
        self._write = write
        self._since: list[tuple[ResultLine, Measured]] = []

    def ran(self, line: ResultLine, measured: Measured) -> None:
        """Take in that a trial was measured; its methods must be off the pipeline."""
        self._since.append((line, measured))
        if self._baseline.is_due:
            self.probe()

    def probe(self) -> None:
        """Probe the baseline, if a trial was measured since it last ran."""
        if not self._since:
            return
        change = self._baseline.probe(self._loaded, self._recorder.assignment.batch_size)
        if change is not None:
            for line, measured in self._since:
                self._write(self._recorder.across(line, measured, self._baseline.times, change))
        self._since.clear()
