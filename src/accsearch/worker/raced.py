"""What a race has generated of one trial so far."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from accsearch.task import Trial
from accsearch.worker.baseline_times import Timed
from accsearch.worker.batches import Batch
from accsearch.worker.generation import counted
from accsearch.worker.images import join
from accsearch.worker.machine import Machine
from accsearch.worker.measurement import Measured
from accsearch.worker.monitor import Readings


@dataclass
class Raced:
    """The batches of a trial from the first on, and the scores of those that were scored.

    `runs` are those of full batches. `bytes_before` is what the device held before the methods were put on, which took
    `set_up_seconds`; `peak_bytes` is the most that the pipeline held in a batch.
    """

    trial: Trial
    parts: list[Batch] = field(default_factory=list)
    scored: list[tuple[float, ...]] = field(default_factory=list)
    runs: list[Timed] = field(default_factory=list)
    set_up_seconds: float = 0.0
    bytes_before: int | None = None
    set_up_bytes: int | None = None
    peak_bytes: int | None = None
    calibration: Mapping[str, Any] = field(default_factory=dict)
    """What its methods took from a plain generation, by name."""
    readings: Readings = field(default_factory=Readings)
    began: float = field(default_factory=time.perf_counter)
    ended: float = 0.0

    def took(self, batch: Batch, machine: Machine, others: int) -> None:
        """Take in the next batch; of what the device held, `others` bytes are not the trial's."""
        peak, allocated = machine.peak(), machine.allocated()
        if not self.parts:
            if allocated is not None and self.bytes_before is not None:
                self.set_up_bytes = allocated - self.bytes_before
            # What set-up took for a moment is not the trial's need, unless there is nothing else.
            self.peak_bytes = None if peak is None else peak - others
        elif peak is not None:
            first = len(self.parts) == 1
            self.peak_bytes = peak - others if first else max(self.peak_bytes or 0, peak - others)
        self.parts.append(batch)
        self.ended = time.perf_counter()

    @property
    def prompts(self) -> int:
        """How many images there are."""
        return sum(len(part.prompts) for part in self.parts)

    def counting(self, warmup: int) -> Sequence[Timed]:
        """Return the runs that count."""
        return counted(self.runs, warmup)

    def measured(self, warmup: int) -> Measured:
        """Return what there is as a measurement of so many prompts; where no run counts yet, all do."""
        seen = self.readings
        return Measured(
            images=join([part.images for part in self.parts]),
            scores=list(chain.from_iterable(self.scored)),
            runs=tuple(self.counting(warmup) or self.runs),
            set_up_seconds=self.set_up_seconds,
            set_up_bytes=self.set_up_bytes,
            peak_bytes=self.peak_bytes,
            power_watts=seen.mean_power(self.began, self.ended),
            utilization=seen.mean_utilization(self.began, self.ended),
            conditions=seen.conditions(),
            block_calls=self.parts[0].block_calls,
            calibration=self.calibration,
        )
