"""Measure one trial: its images, its quality, and its time against the baseline's."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import median

import torch

from accsearch.methods.catalogue import METHODS
from accsearch.methods.combinations import trial_id
from accsearch.task import Methods, Trial
from accsearch.worker.busy import kernel_seconds
from accsearch.worker.images import Images, InvalidImages
from accsearch.worker.loaded_task import Generation, LoadedTask, generate
from accsearch.worker.methods.compose import apply
from accsearch.worker.methods.session import Applied
from accsearch.worker.monitor import Readings
from accsearch.worker.stopwatch import Run, Times, race, timed, warm_up

ROUNDING_PSNR = 48.0
"""Decibel above which two images may differ by rounding alone.

Another memory layout leaves the demo's images at 86 dB and more in float32 and at 53 in bfloat16, bfloat16 instead of
float32 at 52; DeepCache of interval 2 leaves 42. ToMe of a tenth of the tokens, with 53, does not stand out
(`benchmarks/margins.py`).
"""


@dataclass
class Baseline:
    """The un-accelerated pipeline as measured in this attempt; `seconds` of a batch grow through the task.

    `medians` are those of each set of runs, the first set being the baseline's own, the others beside trials. `exact`
    holds the hash of the images of each exact trial measured so far, by its id.
    """

    images: Images
    scores: list[float]
    seconds: list[float] = field(default_factory=list)
    exact: dict[str, str] = field(default_factory=dict)
    medians: list[float] = field(init=False)

    def __post_init__(self) -> None:
        self.medians = [median(self.seconds)] if self.seconds else []

    @property
    def drift(self) -> float | None:
        """The longest median over the shortest, None before there are two."""
        return max(self.medians) / min(self.medians) if len(self.medians) > 1 else None

    def drift_to(self, seconds: Sequence[float]) -> float | None:
        """Return the median of `seconds`, of runs of the baseline, over that at the attempt's start."""
        return median(seconds) / self.medians[0] if self.medians else None

    def ran(self, seconds: Sequence[float]) -> None:
        """Take in the times that the baseline had beside a trial."""
        self.seconds.extend(seconds)
        self.medians.append(median(seconds))

    def saw(self, trial: Trial, images: Images) -> None:
        """Remember the images of an exact trial."""
        if trial.methods == _exact(trial.methods):
            self.exact[trial.id] = images.sha256


@dataclass(frozen=True)
class Measured:
    """What was measured of one trial; seconds are those of a batch, bytes those of the pipeline alone."""

    images: Images
    scores: list[float]
    seconds: tuple[float, ...]
    times: Times | None
    set_up_seconds: float
    set_up_bytes: int | None
    peak_bytes: int | None
    kernel_seconds: float | None
    """Of a batch: how long at least one kernel or copy ran; None on the CPU."""
    power_watts: float | None
    utilization: float | None
    strangers: frozenset[int]
    sm_clock_mhz: float | None = None
    throttle_reasons: tuple[str, ...] = ()
    cores_used_by_others: float | None = None


def measure_baseline(loaded: LoadedTask, batch_size: int) -> Measured:
    """Measure the plain pipeline: as many repeats as are asked for at least."""
    settings = loaded.assignment.config.worker
    before = loaded.machine.allocated()
    with loaded.monitor.watching() as seen, apply(loaded.pipeline, {}) as applied:
        generation = generate(loaded, applied, batch_size)
        run = partial(applied, **loaded.workload.arguments(_timed_batch(loaded, batch_size)))
        warm_up(loaded.machine, run, settings.warmup, _full(generation, loaded, batch_size))
        with seen.timing():
            seconds = tuple(timed(loaded.machine, run)[1] for _ in range(settings.repeats))
        alone = time.perf_counter()
        return _measured(loaded, applied, run, generation, seen, alone, seconds, None, 0.0, before)


def measure_trial(loaded: LoadedTask, methods: Methods, batch_size: int) -> Measured:
    """Measure the pipeline with `methods` on it, in turn with the plain one on the same batch.

    Raises Unsupported where a method cannot run on this denoiser.
    """
    settings = loaded.assignment.config.worker
    before, began = loaded.machine.allocated(), time.perf_counter()
    applying = apply(
        loaded.pipeline, methods, implementation=loaded.assignment.config.implementation, seed=settings.seed
    )
    with loaded.monitor.watching() as seen, applying as applied:
        entered = time.perf_counter() - began
        numbers = _timed_batch(loaded, batch_size)
        applied.verify(**loaded.workload.arguments(numbers))
        generation = generate(loaded, applied, batch_size)
        # Generators go on from run to run, which changes a sampler's own noise and not its time.
        run = partial(applied, **loaded.workload.arguments(numbers))
        plain = partial(plain_call, loaded, **loaded.workload.arguments(numbers))
        warm_up(loaded.machine, run, settings.warmup, _full(generation, loaded, batch_size))
        alone = time.perf_counter()
        with seen.timing():
            times = race(loaded.machine, applied, run, plain, settings)
        return _measured(loaded, applied, run, generation, seen, alone, times.trial, times, entered, before)


def is_active(methods: Methods, images: Images, psnr: float | None, baseline: Baseline) -> bool | None:
    """Say whether the approximate ones of `methods` change the images; None where all are exact.

    `psnr` is that against the baseline's images, None if they are identical. Exact methods round otherwise and
    so change some pixels themselves; beside them the images must differ from those of the exact methods alone,
    or, where this attempt has none, from the baseline's by more than rounding does.
    """
    exact = _exact(methods)
    if exact == methods:
        return None
    if not exact:
        return psnr is not None
    alone = baseline.exact.get(trial_id(exact))
    return psnr is not None and psnr < ROUNDING_PSNR if alone is None else images.sha256 != alone


def _exact(methods: Methods) -> Methods:
    """Return those of `methods` that compute what the baseline computes, up to rounding."""
    return {name: parameters for name, parameters in methods.items() if METHODS[name].exact}


def plain_call(loaded: LoadedTask, **arguments: object) -> torch.Tensor:
    """Call the pipeline itself, with nothing of ours in between."""
    images: torch.Tensor = loaded.pipeline(**arguments, output_type="pt", return_dict=False)[0]
    return images


def _timed_batch(loaded: LoadedTask, batch_size: int) -> list[int]:
    return loaded.workload.batches(batch_size)[0]


def _full(generation: Generation, loaded: LoadedTask, batch_size: int) -> Sequence[float]:
    """Return the times of the full batches already run, which warmed the device up."""
    return generation.seconds[: len(loaded.workload.prompts) // batch_size]


def _measured(
    loaded: LoadedTask,
    applied: Applied,
    run: Run,
    generation: Generation,
    seen: Readings,
    alone: float,
    seconds: tuple[float, ...],
    times: Times | None,
    entered: float,
    before: int | None,
) -> Measured:
    """Put the figures together; between its first batch and `alone` nothing but the trial itself ran.

    `before` are the bytes on the device before the methods were switched on.
    """
    scores = loaded.scorer.scores(generation.images, loaded.texts)
    if lost := [str(number) for number, score in enumerate(scores) if not math.isfinite(score)]:
        raise InvalidImages(f"the score is not a number for prompt {', '.join(lost)}")
    batch = median(seconds)
    peak, allocated = generation.peak_bytes, generation.allocated_bytes
    return Measured(
        images=generation.images,
        scores=scores,
        seconds=seconds,
        times=times,
        # What the first batch took longer than a batch takes is set-up: compiling, choice of kernels.
        set_up_seconds=entered + max(0.0, generation.seconds[0] - batch),
        set_up_bytes=None if allocated is None or before is None else allocated - before,
        peak_bytes=None if peak is None else peak - loaded.scorer_bytes - applied.idle_bytes,
        kernel_seconds=kernel_seconds(run, loaded.machine) if loaded.machine.is_cuda else None,
        power_watts=seen.mean_power(generation.set_up_at, alone),
        utilization=seen.mean_utilization(generation.set_up_at, alone),
        strangers=frozenset(seen.strangers),
        sm_clock_mhz=seen.mean_clock(),
        throttle_reasons=seen.throttle_reasons(),
        cores_used_by_others=seen.cores_used_by_others,
    )
