"""The baseline that a task's trials are compared with: its images, scores and times, kept up to date."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from accsearch.task import Trial
from accsearch.worker.activity import exact_of
from accsearch.worker.baseline_times import BaselineTimes, Change, Timed
from accsearch.worker.batches import generate_batch
from accsearch.worker.images import Images
from accsearch.worker.loaded_task import LoadedTask
from accsearch.worker.measurement import Measured
from accsearch.worker.methods.compose import apply

PROBE_AFTER = 10
"""A probe comes once this many times its own duration has passed, so that probes cost at most a tenth."""


@dataclass
class Baseline:
    """The un-accelerated pipeline as measured in this attempt.

    `exact` holds the hash of the images of each exact trial measured so far, by its id.
    """

    images: Images
    scores: list[float]
    times: BaselineTimes
    exact: dict[str, str] = field(default_factory=dict)
    last_run: float = field(default_factory=time.perf_counter)
    """When the last run of it ended."""
    block_calls: int | None = None
    """Calls of the denoiser's blocks in a batch."""

    @classmethod
    def of(cls, measured: Measured) -> "Baseline":
        """Return the baseline as it was just measured."""
        times = BaselineTimes(measured.runs)
        return cls(measured.images, measured.scores, times, block_calls=measured.block_calls)

    def scores_of(self, prompts: Sequence[int]) -> tuple[float, ...]:
        """Return the scores of the prompts with these numbers, none where nothing scored."""
        return tuple(self.scores[number] for number in prompts) if self.scores else ()

    def saw(self, trial: Trial, images: Images) -> None:
        """Remember the images of an exact trial."""
        if trial.methods == exact_of(trial.methods):
            self.exact[trial.id] = images.sha256

    @property
    def is_due(self) -> bool:
        """Say whether the last run of the baseline is some time ago."""
        return time.perf_counter() - self.last_run > PROBE_AFTER * self.times.seconds

    def probe(self, loaded: LoadedTask, batch_size: int) -> Change | None:
        """Run a batch of the plain pipeline, or two: see `BaselineTimes.probe`.

        Where that shows that the machine has changed, measure the baseline again and return the two levels.
        """
        full = len(loaded.workload.prompts) // batch_size

        def run() -> Timed:
            number = len(self.times.runs) % full
            return Timed(number, generate_batch(loaded, applied, number, batch_size).seconds)

        change = None
        with apply(loaded.pipeline, {}) as applied:
            if self.times.probe(run):
                repeats = max(2, loaded.assignment.config.worker.repeats)
                change = self.times.remeasure([run() for _ in range(repeats)])
        self.last_run = time.perf_counter()
        return change
