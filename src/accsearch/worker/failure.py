"""What an exception of a trial means for the trials after it."""

import re

import torch

_LOST = re.compile(
    r"GPU is lost|fallen off|busy or unavailable|devicesunavailable|uncorrectable ECC|no CUDA-capable",
    re.IGNORECASE,
)
_OUT_OF_MEMORY = re.compile(r"out of memory|can't allocate memory|CUBLAS_STATUS_ALLOC_FAILED", re.IGNORECASE)


def is_out_of_memory(error: Exception) -> bool:
    """Say whether there was too little memory, on the device or the host."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and _OUT_OF_MEMORY.search(str(error)) is not None


def is_lost_gpu(error: Exception) -> bool:
    """Say whether the GPU itself is gone, so that the task should run elsewhere."""
    return isinstance(error, RuntimeError) and _LOST.search(str(error)) is not None


def ends_the_device(error: Exception) -> bool:
    """Say whether nothing more can run in this process: after an error inside a kernel every call fails."""
    return isinstance(error, RuntimeError) and "CUDA error" in str(error)


def one_line(error: Exception) -> str:
    """Return the exception as one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:500]
