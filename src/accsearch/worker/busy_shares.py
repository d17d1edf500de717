"""The last pass over a task, once nothing is timed any more: how much of the time the GPU computed."""

from collections.abc import Iterable
from dataclasses import replace

from accsearch.result_lines.line import ResultLine
from accsearch.worker.busy import HOST_BOUND, records_kernels
from accsearch.worker.fatal_errors import one_line
from accsearch.worker.loaded_task import LoadedTask
from accsearch.worker.measurement import measure_kernels
from accsearch.worker.methods.session import Unsupported
from accsearch.worker.probing import Write
from accsearch.worker.terminal import say


def add_busy_shares(loaded: LoadedTask, lines: Iterable[ResultLine], write: Write) -> None:
    """Write each of `lines` that has no `gpu_busy` again with it, from a batch under the profiler; a CPU has none.

    No time may be taken in this process afterwards: see `busy.kernel_seconds`. A line whose batch fails stays as it is.
    """
    if not records_kernels(loaded.machine):
        return
    for line in lines:
        if line.gpu_busy is not None:
            continue
        try:
            seconds = measure_kernels(loaded, line.methods, line.batch_size)
        except (RuntimeError, MemoryError, Unsupported) as error:
            say(f"{line.trial}: not profiled: {one_line(error)}")
        else:
            write(with_busy_share(line, seconds))


def with_busy_share(line: ResultLine, kernel_seconds: float) -> ResultLine:
    """Return `line` with the share of a batch's usual time in which the GPU computed, for `kernel_seconds`."""
    assert line.seconds_per_image is not None
    busy = min(1.0, kernel_seconds / (line.seconds_per_image * line.batch_size))
    return replace(line, gpu_busy=busy, host_bound=busy < HOST_BOUND)
