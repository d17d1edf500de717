"""The device, failures on it, and how busy it is."""

import pytest
import torch

from accsearch.errors import UsageError
from accsearch.gpus.device import GpuLost
from accsearch.worker.busy import union_length
from accsearch.worker.fatal_errors import ends_the_device, is_lost_gpu, is_out_of_memory, one_line
from accsearch.worker.machine import choose_machine
from accsearch.worker.monitor import Readings, open_monitor


def test_the_cpu_measures_float16_in_float32_and_says_so() -> None:
    machine = choose_machine("cpu", "float16")

    assert machine.dtype_name == "float32"
    assert machine.note == "float32 instead of float16 on the CPU"
    assert (machine.gpu, machine.peak(), machine.allocated()) == (None, None, None)


def test_bfloat16_is_kept_on_the_cpu() -> None:
    assert (
        choose_machine("auto" if not torch.cuda.is_available() else "cpu", "bfloat16").dtype_name
        == "bfloat16"
    )


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_cuda_without_a_gpu_is_the_users_mistake() -> None:
    with pytest.raises(UsageError, match="torch sees no GPU"):
        choose_machine("cuda", "float16")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
@pytest.mark.parametrize("device", ["cuda", "auto"])
def test_a_given_gpu_that_cuda_does_not_see_is_lost(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given torch as it is built for CUDA, in a process that a scheduler pinned to a GPU
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-1234")
    with pytest.raises(GpuLost, match="torch does not see GPU-1234"):
        choose_machine(device, "float16")
    # The CPU is still what it was
    assert not choose_machine("cpu", "float32").is_cuda


@pytest.mark.parametrize(
    ("error", "memory", "lost", "ends"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate"), True, False, False),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), True, False, False),
        (MemoryError(), True, False, False),
        (RuntimeError("CUDA error: out of memory"), True, False, True),
        (RuntimeError("Triton Error [CUDA]: out of memory"), True, False, False),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True, False, False),
        (RuntimeError("CUDA error: all CUDA-capable devices are busy or unavailable"), False, True, True),
        (RuntimeError("CUDA unknown error - this may be due to"), False, True, False),
        (RuntimeError("CUDA error: uncorrectable ECC error encountered"), False, True, True),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), False, False, True),
        (RuntimeError("Sizes of tensors must match"), False, False, False),
        (ValueError("out of memory"), False, False, False),
    ],
)
def test_failures_are_distinguished(error: Exception, memory: bool, lost: bool, ends: bool) -> None:
    assert (is_out_of_memory(error), is_lost_gpu(error), ends_the_device(error)) == (memory, lost, ends)


def test_an_error_is_one_line() -> None:
    assert one_line(RuntimeError("a\n  b")) == "RuntimeError: a b"


def test_overlapping_kernels_count_once() -> None:
    assert union_length([(0, 10), (5, 12), (20, 30), (21, 22)]) == 22
    assert union_length([]) == 0


def test_readings_are_those_of_the_span() -> None:
    readings = Readings(power=[(0.0, 100.0), (1.0, 300.0), (2.0, 500.0), (3.0, 900.0)])

    assert readings.mean_power(0.5, 2.5) == 400.0
    assert readings.mean_power(5, 6) is None
    assert readings.mean_utilization(0, 3) is None


def test_without_a_gpu_nothing_is_read() -> None:
    with open_monitor(None) as monitor, monitor.watching() as readings:
        pass

    assert readings == Readings()
    assert monitor.driver is None
