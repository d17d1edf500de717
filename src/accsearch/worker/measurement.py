"""Measure one trial: its images, their scores, and the time of each batch; or its time in turn with the baseline's."""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch

from accsearch.task import Methods
from accsearch.worker.baseline_times import Timed
from accsearch.worker.batches import finite_scores
from accsearch.worker.busy import kernel_seconds
from accsearch.worker.generation import generate
from accsearch.worker.images import Images
from accsearch.worker.loaded_task import LoadedTask
from accsearch.worker.methods.compose import apply
from accsearch.worker.methods.session import Applied
from accsearch.worker.monitor import Conditions
from accsearch.worker.stopwatch import Times, race, warm_up


@dataclass(frozen=True)
class Measured:
    """What was measured of one trial while its images were made; bytes are those of the pipeline alone."""

    images: Images
    scores: list[float]
    runs: tuple[Timed, ...]
    """Those that count, see `generation`."""
    set_up_seconds: float
    set_up_bytes: int | None
    peak_bytes: int | None
    power_watts: float | None
    utilization: float | None
    conditions: Conditions
    block_calls: int | None = None
    """Calls of layers in the denoiser's blocks in the first batch; None where they were not counted."""
    calibration: Mapping[str, Any] = field(default_factory=dict)
    """What the methods took from a plain generation, by name."""

    @property
    def seconds(self) -> tuple[float, ...]:
        """Seconds of each run that counts."""
        return tuple(run.seconds for run in self.runs)


@dataclass(frozen=True)
class Paired:
    """Times of a trial and the baseline measured in turn."""

    times: Times
    conditions: Conditions


def measure_baseline(loaded: LoadedTask, batch_size: int) -> Measured:
    """Measure the plain pipeline."""
    return measure_trial(loaded, {}, batch_size)


def measure_trial(
    loaded: LoadedTask, methods: Methods, batch_size: int, then: Callable[[], None] = lambda: None
) -> Measured:
    """Measure the pipeline with `methods` on it; `then` is called on the plain one, right after the last run.

    Raises Unsupported where a method cannot run on this denoiser.
    """
    before, began = loaded.machine.allocated(), time.perf_counter()
    with loaded.monitor.watching() as seen, _applying(loaded, methods) as applied:
        entered = time.perf_counter() - began
        # The first prompt shows as much as a batch.
        applied.verify(**loaded.workload.arguments([0]))
        counts = "compile" not in methods
        generation = generate(loaded, applied, batch_size, seen, counts_blocks=counts)
        alone, idle_bytes = time.perf_counter(), applied.idle_bytes
    then()
    # What was applied is gone: nothing of it takes memory or time from the scorer.
    scores = finite_scores(loaded.scorer.scores(generation.images, loaded.texts))
    peak, allocated = generation.peak_bytes, generation.allocated_bytes
    return Measured(
        images=generation.images,
        scores=scores,
        runs=generation.runs,
        set_up_seconds=entered + generation.set_up_seconds,
        set_up_bytes=None if allocated is None or before is None else allocated - before,
        peak_bytes=None if peak is None else peak - loaded.scorer_bytes - idle_bytes,
        power_watts=seen.mean_power(generation.set_up_at, alone),
        utilization=seen.mean_utilization(generation.set_up_at, alone),
        conditions=seen.conditions(),
        block_calls=generation.block_calls,
        calibration=applied.calibration,
    )


def measure_pairs(
    loaded: LoadedTask, methods: Methods, batch_size: int, usual: float, enough: Callable[[], bool]
) -> Paired:
    """Time the first batch with `methods` and without in turn, as exactly as the configuration asks for.

    `usual` are the seconds of a batch with `methods`, by which warm-up ends. Past the first `repeats` pairs the
    measurement also ends once `enough` says so.
    """
    settings = loaded.assignment.config.worker
    with loaded.monitor.watching() as seen, _applying(loaded, methods) as applied:
        applied.settle(**loaded.workload.arguments([0]))
        numbers = loaded.workload.batches(batch_size)[0]
        # Generators go on from run to run, which changes a sampler's own noise and not its time.
        run = partial(applied, **loaded.workload.arguments(numbers))
        plain = partial(plain_call, loaded, **loaded.workload.arguments(numbers))
        warm_up(loaded.machine, run, 1 + settings.warmup, [usual])
        with seen.timing():
            times = race(loaded.machine, applied, run, plain, settings, enough)
    return Paired(times, seen.conditions())


def measure_kernels(loaded: LoadedTask, methods: Methods, batch_size: int) -> float:
    """Return the seconds in which a kernel or copy ran while the first batch was generated with `methods`.

    Nothing may be timed in this process afterwards: see `busy.kernel_seconds`.
    """
    with _applying(loaded, methods) as applied:
        applied.settle(**loaded.workload.arguments([0]))
        run = partial(applied, **loaded.workload.arguments(loaded.workload.batches(batch_size)[0]))
        # Each method has run before in this process, but one that compiles does it again whenever it is applied.
        warm_ups = 1 + loaded.assignment.config.worker.warmup if "compile" in methods else 0
        for _ in range(warm_ups):
            with torch.inference_mode():
                run()
        return kernel_seconds(run, loaded.machine)


def plain_call(loaded: LoadedTask, **arguments: object) -> torch.Tensor:
    """Call the pipeline itself, with nothing of ours in between."""
    images: torch.Tensor = loaded.pipeline(**arguments, output_type="pt", return_dict=False)[0]
    return images


def _applying(loaded: LoadedTask, methods: Methods) -> AbstractContextManager[Applied]:
    config = loaded.assignment.config
    return apply(
        loaded.pipeline,
        methods,
        implementation=config.implementation,
        seed=config.worker.seed,
        calibrations=loaded.calibrations,
    )
