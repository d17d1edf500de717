"""Batches that an earlier attempt has measured, as far as its result lines tell."""

import math
from collections.abc import Mapping, Sequence

from accsearch.result_lines.line import ResultLine
from accsearch.search.measure import Batch
from accsearch.task import Trial
from accsearch.worker.baseline import Baseline

NORMAL = 1.96
"""Half-width of a 95 % interval over its standard error."""


class StoredBatches:
    """The batches in `lines` of earlier attempts, by trial; one that is measured again has none any more."""

    def __init__(self, lines: Mapping[str, ResultLine], baseline: Baseline) -> None:
        self._lines = lines
        self._baseline = baseline
        self._superseded: set[str] = set()

    def holds(self, trial: Trial) -> bool:
        """Say whether there is a line of a trial that is not measured again."""
        return trial.id in self._lines and trial.id not in self._superseded

    def supersede(self, trial: Trial) -> None:
        """Note that a trial is measured again."""
        self._superseded.add(trial.id)

    def batch(self, trial: Trial, prompts: Sequence[int]) -> Batch | None:
        """Return a batch by the scores of its line, and by its speed-up, which it shares with all the others."""
        line = self._lines.get(trial.id)
        if line is None or line.speedup is None or trial.id in self._superseded:
            return None
        known = [score for score in line.scores[prompts[0] : prompts[-1] + 1] if score is not None]
        if len(known) < len(prompts):
            return None
        error = math.inf
        if line.speedup_ci95 is not None:
            low, high = line.speedup_ci95
            error = math.log(high / low) / 2 / NORMAL
        baseline = self._baseline.scores_of(prompts)
        changed = line.active is not False
        return Batch(1 / line.speedup, 1.0, tuple(known), baseline, changed, shared_error=error)
