"""All images of a trial, each batch generated once as a timed run."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, cycle
from statistics import median

from accsearch.worker.baseline_times import Timed
from accsearch.worker.batches import generate_batch
from accsearch.worker.images import Images, join
from accsearch.worker.loaded_task import LoadedTask
from accsearch.worker.methods.session import Invoke
from accsearch.worker.monitor import Readings
from accsearch.worker.stopwatch import EXTRA_WARM_UPS
from accsearch.worker.terminal import progress_bar

SET_UP = 1.5
"""A leading run that takes this many times longer than those after it is set-up, as the recording of a CUDA graph."""


@dataclass(frozen=True)
class Generation:
    """The images of a trial; `runs` are those that count, all of full batches.

    `set_up_seconds` are what earlier runs took longer than those. `allocated_bytes` are what the device held after the
    first batch, without its images; `set_up_at` is when that batch was over.
    """

    images: Images
    runs: tuple[Timed, ...]
    set_up_seconds: float
    peak_bytes: int | None
    allocated_bytes: int | None
    set_up_at: float
    block_calls: int | None = None
    """Of the first batch, see `batches.Batch`."""


def generate(
    loaded: LoadedTask, invoke: Invoke, batch_size: int, seen: Readings, *, counts_blocks: bool = False
) -> Generation:
    """Generate the image of every prompt once; where fewer than `repeats` runs count, run batches again.

    Raises InvalidImages where they are not images.
    """
    machine, settings = loaded.machine, loaded.assignment.config.worker
    prompts = len(loaded.workload.prompts)
    batches, full = len(loaded.workload.batches(batch_size)), prompts // batch_size
    images: list[Images] = []
    runs: list[Timed] = []
    allocated, set_up_at, block_calls = None, 0.0, None
    machine.reset_peak()
    with progress_bar(prompts, "image") as bar, ExitStack() as timing:
        for number in _numbers(batches, full, runs, settings.warmup, settings.repeats):
            if seen.timed is None and len(runs) >= settings.warmup:
                timing.enter_context(seen.timing())
            counts = counts_blocks and not images
            batch = generate_batch(loaded, invoke, number, batch_size, counts_blocks=counts)
            if number < full:
                runs.append(Timed(number, batch.seconds))
            if len(images) == number:
                images.append(batch.images)
                bar.update(len(batch.prompts))
            if not set_up_at:
                block_calls = batch.block_calls
                allocated, set_up_at = machine.allocated(), time.perf_counter()
                if batches > 1:
                    # What compiling and the first choice of kernels took is not the trial's need.
                    machine.reset_peak()
    kept = counted(runs, settings.warmup)
    usual = median(run.seconds for run in kept)
    set_up = sum(max(0.0, run.seconds - usual) for run in runs[: len(runs) - len(kept)])
    return Generation(join(images), tuple(kept), set_up, machine.peak(), allocated, set_up_at, block_calls)


def _numbers(batches: int, full: int, runs: Sequence[Timed], warmup: int, repeats: int) -> Iterator[int]:
    """Yield the number of each batch once, then those of full ones until enough of `runs`, which grow, count."""
    most = batches + warmup + repeats + EXTRA_WARM_UPS
    for made, number in enumerate(chain(range(batches), cycle(range(full)))):
        if made >= batches and (len(counted(runs, warmup)) >= repeats or made >= most):
            return
        yield number


def counted(runs: Sequence[Timed], warmup: int) -> list[Timed]:
    """Return the runs that count: those after the first `warmup`, and after what is set-up by its length."""
    rest = list(runs[warmup:])
    while len(rest) > 1 and rest[0].seconds > SET_UP * median(run.seconds for run in rest[1:]):
        rest.pop(0)
    return rest
