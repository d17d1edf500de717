"""Choose where a run's tasks may start: GPUs, or CPU slots."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from accsearch.config.schema import Config
from accsearch.errors import NoGpuError
from accsearch.gpus.visible import NONE
from accsearch.scheduler.options import Observer, RunOptions
from accsearch.scheduler.places import CpuPool, Pool


@contextmanager
def open_pool(configs: Sequence[Config], options: RunOptions, observer: Observer) -> Iterator[Pool]:
    """Yield the pool of a run: `--gpus none` or workers for the CPU give CPU slots.

    Raises NoGpuError without a usable GPU, unless every configuration allows the CPU then.
    """
    if options.gpus == NONE:
        yield CpuPool(options.slots or 1)
        return
    raise NoGpuError("no GPU")
