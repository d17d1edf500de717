"""Choose where a run's tasks may start: GPUs, or CPU slots."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from accsearch.config.gpu_limits import strictest
from accsearch.config.schema import Config
from accsearch.cores import usable_cores
from accsearch.errors import NoGpuError
from accsearch.executors.executor import Executor
from accsearch.gpus.idle import gib
from accsearch.gpus.nvml import WITHOUT_GPUS, open_nvml
from accsearch.gpus.pinning import visible_gpus
from accsearch.gpus.visible import NONE, select
from accsearch.scheduler.options import Observer, RunOptions
from accsearch.scheduler.slots.cluster_slots import ClusterSlots
from accsearch.scheduler.slots.cpu_slots import CpuSlots
from accsearch.scheduler.slots.gpu_slots import GpuSlots
from accsearch.scheduler.slots.slot import Slots
from accsearch.workdir import WorkDir

MOST_CPU_SLOTS = 8
"""Default limit of tasks at once without GPUs: each worker holds its own copy of the model in memory."""


@contextmanager
def open_slots(
    configs: Sequence[Config], workdir: WorkDir, options: RunOptions, observer: Observer, executor: Executor
) -> Iterator[Slots]:
    """Yield the slots of a run: GPUs, or CPU slots with `--gpus none` or where every worker is for the CPU.

    An executor with a capacity of its own, that of a cluster, is asked for it, and no GPU of this machine is looked at.
    Raises NoGpuError without a GPU that may ever be used, unless every configuration makes do with the CPU.
    """
    slots: Slots | None = None
    if executor.capacity() is not None:
        on_gpus = wants_gpus(configs, options.gpus)
        yield ClusterSlots(executor.name, lambda: executor.capacity() or 0, on_gpus=on_gpus)
        return
    with ExitStack() as stack:
        if wants_gpus(configs, options.gpus):
            try:
                slots = _open_gpus(configs, workdir, options, observer, stack)
            except NoGpuError as error:
                # Who names GPUs means them; else the CPU serves where every configuration makes do with it.
                without = all(config.gpus.allow_cpu or config.worker.device != "cuda" for config in configs)
                if options.gpus is not None or not without:
                    raise
                observer.message(f"{str(error).removesuffix(f'; {WITHOUT_GPUS}')}: tasks run on the CPU")
        yield slots or CpuSlots(options.slots or min(usable_cores(), MOST_CPU_SLOTS))


def wants_gpus(configs: Sequence[Config], gpus: str | None) -> bool:
    """Return whether tasks run on GPUs, `gpus` being the option; raises NoGpuError where `none` contradicts."""
    if gpus == NONE:
        _refuse_bound_to_gpus(configs)
        return False
    return any(config.worker.device != "cpu" for config in configs)


def _refuse_bound_to_gpus(configs: Sequence[Config]) -> None:
    """Raise NoGpuError for a configuration whose every worker would refuse to start without a GPU."""
    for config in configs:
        bound = config.worker.kind == "traversal_search" and config.worker.device == "cuda"
        if bound and not config.gpus.allow_cpu:
            raise NoGpuError(
                f"{config.name}: worker.device is cuda and --gpus none leaves none; add -o worker.device=cpu"
            )


def _open_gpus(
    configs: Sequence[Config], workdir: WorkDir, options: RunOptions, observer: Observer, stack: ExitStack
) -> GpuSlots:
    limits = strictest([config.gpus for config in configs])
    nvml = stack.enter_context(open_nvml())
    devices = select(nvml.devices(), visible_gpus(), options.gpus, limits.exclude)
    if not devices:
        raise NoGpuError("no GPU that this run may use (`accsearch gpus` says why)")
    large = [d for d in devices if d.memory_total is None or d.memory_total >= limits.min_free_memory]
    if not large:
        raise NoGpuError(f"no GPU has the {gib(limits.min_free_memory)} that gpus.min_free_memory asks for")
    return GpuSlots(large, nvml, limits, workdir.root, observer.message, options.slots)
