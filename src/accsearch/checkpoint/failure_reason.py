"""Say why a worker failed, from how it ended and what it printed last."""

import re
import signal as signals
from collections.abc import Mapping

from accsearch.checkpoint.markers import Exit
from accsearch.task import FailureReason, WorkerExit

_OWN_CODES = {
    WorkerExit.CONFIG: FailureReason.CONFIG,
    WorkerExit.VALIDATION: FailureReason.VALIDATION,
    WorkerExit.OOM: FailureReason.OOM,
    WorkerExit.LOST_GPU: FailureReason.LOST_GPU,
    WorkerExit.GPU_TAKEN: FailureReason.LOST_GPU,
}
"""What accsearch's own worker means by its exit code; other programs' codes mean something else."""

_SHELL_CODES = {
    126: FailureReason.CONFIG,
    127: FailureReason.CONFIG,
    128 + signals.SIGKILL: FailureReason.KILLED,
    128 + signals.SIGTERM: FailureReason.KILLED,
}
"""What a shell means: no such program, or the program was ended by a signal."""

_SIGNS: Mapping[FailureReason, re.Pattern[str]] = {
    FailureReason.OOM: re.compile(
        r"\b(?:CUDA|HIP|XPU|MPS backend)(?: error:|\]:)? out of memory|OutOfMemoryError|cudaErrorMemoryAllocation"
        r"|\bCU[A-Z]+(?:_STATUS)?_ALLOC_FAILED|DefaultCPUAllocator: can't allocate memory|^MemoryError\b",
        re.MULTILINE,
    ),
    FailureReason.LOST_GPU: re.compile(
        r"GPU is lost|fallen off the bus|uncorrectable ECC error|no CUDA-capable device is detected"
        r"|CUDA-capable device(?:s|\(s\)) (?:is/)?are busy or unavailable|cudaErrorDevicesUnavailable"
        r"|CUDA driver initialization failed|CUDA unknown error"
    ),
    FailureReason.CONFIG: re.compile(
        r"^(?:ModuleNotFoundError|ImportError): |^usage: [\s\S]*: error: ", re.MULTILINE
    ),
}
"""What the text of an error or a log says of the reason, in the order in which it counts."""
_SIGNS_TAIL = 16 * 1024


def reason_in(text: str) -> FailureReason | None:
    """Return the reason that the text of an error or a log shows, None if it shows none."""
    return next((reason for reason, sign in _SIGNS.items() if sign.search(text)), None)


def classify(ended: Exit, tail: bytes, *, own_worker: bool) -> FailureReason:
    """Return the reason of a failed attempt; `tail` is the end of its log.

    The keeper's word comes first (it ended the worker), then the exit code of accsearch's own worker, then
    what the log's last 16 KiB show, then the signal.
    """
    if ended.reason is not None:
        return FailureReason(ended.reason) if ended.reason in list(FailureReason) else FailureReason.KILLED
    if own_worker and ended.exit_code in _OWN_CODES:
        return _OWN_CODES[ended.exit_code]
    end = tail[-_SIGNS_TAIL:].decode(errors="replace").replace("\r", "\n")
    if ended.signal not in (signals.SIGKILL, signals.SIGTERM):
        reason = reason_in(end)
        if reason is not None:
            return reason
    if ended.signal is not None:
        return FailureReason.KILLED
    return _SHELL_CODES.get(ended.exit_code or 0, FailureReason.ERROR)


def describe(ended: Exit, error: str | None) -> str:
    """Return one line: the keeper's message or the worker's last error, and how it ended."""
    if ended.message:
        return ended.message
    if ended.reason == FailureReason.TIMEOUT:
        how = "ended at its time limit"
    elif ended.reason == FailureReason.HANG:
        how = "ended because it printed nothing and made no progress"
    elif ended.reason is not None:
        how = f"ended by the scheduler ({ended.reason})"
    elif ended.signal is not None:
        how = f"ended by {_signal_name(ended.signal)}"
    else:
        return error or f"exit code {ended.exit_code} and nothing printed"
    return f"{how}; it last said: {error}" if error else how


def _signal_name(number: int) -> str:
    try:
        return signals.Signals(number).name
    except ValueError:
        return f"signal {number}"
