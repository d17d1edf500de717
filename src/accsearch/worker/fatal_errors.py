"""What an exception of a trial means for the trials after it."""

import torch

from accsearch.checkpoint.failure_reason import reason_in
from accsearch.task import FailureReason, WorkerExit


class TaskEnded(Exception):
    """The task cannot go on in this process; `code` is the worker's exit code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def end_if_fatal(error: Exception) -> None:
    """Raise TaskEnded where after this failure of a trial the others would fail too."""
    if is_out_of_memory(error):
        raise TaskEnded(WorkerExit.OOM, one_line(error)) from error
    if is_lost_gpu(error):
        raise TaskEnded(WorkerExit.LOST_GPU, one_line(error)) from error
    if ends_the_device(error):
        raise TaskEnded(WorkerExit.ERROR, one_line(error)) from error


def is_out_of_memory(error: Exception) -> bool:
    """Say whether there was too little memory, on the device or the host."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and reason_in(str(error)) is FailureReason.OOM


def is_lost_gpu(error: Exception) -> bool:
    """Say whether the GPU itself is gone, so that the task should run elsewhere."""
    return isinstance(error, RuntimeError) and reason_in(str(error)) is FailureReason.LOST_GPU


def ends_the_device(error: Exception) -> bool:
    """Say whether nothing more can run in this process: after an error inside a kernel every call fails."""
    return isinstance(error, RuntimeError) and "CUDA error" in str(error)


def one_line(error: Exception) -> str:
    """Return the exception as one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:500]
