"""The device that the worker runs on."""

from dataclasses import dataclass, field

import torch

from accsearch.errors import UsageError
from accsearch.gpus.device import GpuLost
from accsearch.gpus.pinning import pinned_gpu
from accsearch.grid.setting import dtype_on_cpu

DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32}


@dataclass
class Meter:
    """How long this process has generated images under a stopwatch.

    `began` is when it first did, in seconds of `perf_counter`, None before; `seconds` is the sum.
    """

    began: float | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Machine:
    """A device and the data type on it; `gpu` is the UUID and `gpu_name` the model, None on the CPU."""

    device: torch.device
    dtype: torch.dtype
    gpu: str | None = None
    gpu_name: str | None = None
    note: str | None = None
    meter: Meter = field(default_factory=Meter, compare=False)

    @property
    def dtype_name(self) -> str:
        return str(self.dtype).removeprefix("torch.")

    @property
    def is_cuda(self) -> bool:
        return self.device.type == "cuda"

    def synchronize(self) -> None:
        """Wait until the device has done all that was asked of it."""
        if self.is_cuda:
            torch.cuda.synchronize(self.device)

    def allocated(self) -> int | None:
        """Return the bytes that tensors hold on the GPU, None on the CPU."""
        return torch.cuda.memory_allocated(self.device) if self.is_cuda else None

    def reset_peak(self) -> None:
        """Start a new measurement of the peak."""
        if self.is_cuda:
            torch.cuda.reset_peak_memory_stats(self.device)

    def peak(self) -> int | None:
        """Return the most bytes that tensors held since `reset_peak`, None on the CPU."""
        return torch.cuda.max_memory_allocated(self.device) if self.is_cuda else None


def choose_machine(device: str, dtype: str) -> Machine:
    """Return the machine for the configured `device` (cuda, cpu or auto) and `dtype`.

    Raises UsageError without a GPU that is asked for, GpuLost where the GPU given by the scheduler does not answer.
    """
    cuda = device != "cpu" and torch.cuda.is_available()
    if device != "cpu" and not cuda and torch.version.cuda is not None and (given := pinned_gpu()):
        raise GpuLost(f"CUDA driver initialization failed: torch does not see {given}, on which this runs")
    if device == "cuda" and not cuda:
        raise UsageError("worker.device is cuda, but torch sees no GPU: use auto or cpu, or give it a GPU")
    if cuda:
        properties = torch.cuda.get_device_properties(0)
        return Machine(torch.device("cuda", 0), DTYPES[dtype], _uuid(properties), properties.name)
    used = dtype_on_cpu(dtype)
    note = None if used == dtype else f"{used} instead of {dtype} on the CPU"
    return Machine(torch.device("cpu"), DTYPES[used], note=note)


def _uuid(properties: "torch.cuda._CudaDeviceProperties") -> str:
    # A MIG instance is known by its own UUID, which torch does not report.
    return pinned_gpu() or f"GPU-{properties.uuid}"
