"""Whether the GPUs of this machine are large enough for a task."""

from collections.abc import Iterable, Sequence

from accsearch.config.schema import Config
from accsearch.errors import NoGpuError
from accsearch.gpus.device import Device
from accsearch.gpus.idle import gib
from accsearch.gpus.nvml import open_nvml
from accsearch.gpus.pinning import visible_gpus
from accsearch.gpus.visible import select
from accsearch.task import Task


def memory_of(task: Task, config: Config) -> int | None:
    """Return the bytes that a task is expected to need on a GPU, None if that is not known."""
    if config.worker.kind == "command":
        return None
    return config.model(str(task.axes["pipe"])).memory_bytes


def refuse_too_large(needs: Iterable[tuple[str, int | None]], largest: int | None) -> None:
    """Raise NoGpuError for the first task (name, bytes) that no GPU could ever hold."""
    for name, need in needs:
        if largest is not None and need is not None and need > largest:
            raise NoGpuError(f"{name} needs about {gib(need)}, the largest GPU here has {gib(largest)}")


def largest_memory(devices: Sequence[Device]) -> int | None:
    """Return the memory of the largest GPU in bytes; None without GPUs, or where that of one is unknown."""
    known = [device.memory_total for device in devices if device.memory_total is not None]
    return max(known) if known and len(known) == len(devices) else None


def largest_here(configs: Sequence[Config]) -> int | None:
    """Return the bytes of the largest GPU that a run of these configurations may use; None without a driver."""
    exclude = [name for config in configs for name in config.gpus.exclude]
    try:
        with open_nvml() as nvml:
            return largest_memory(select(nvml.devices(), visible_gpus(), None, exclude))
    except NoGpuError:
        return None
