"""Watch the machine while a trial runs: the GPU through NVML, and what other processes take of the cores."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from statistics import fmean

from accsearch.cpu_load import LoadMeter
from accsearch.errors import NoGpuError
from accsearch.gpus.device import GpuLost
from accsearch.gpus.nvml import Nvml, open_nvml
from accsearch.worker.gpu_return import own_processes

PERIOD = 0.1


@dataclass(frozen=True)
class Conditions:
    """What the machine was like in a timed section: strangers on the GPU, its clock, what others took of the cores."""

    strangers: frozenset[int] = frozenset()
    sm_clock_mhz: float | None = None
    throttle_reasons: tuple[str, ...] = ()
    cores_used_by_others: float | None = None


@dataclass
class Readings:
    """What was seen; times are those of `time.perf_counter`.

    `reasons` are the moments at which the GPU's clock was held down, with the names of the reasons. `timed` is when the
    runs that count began and ended (None before they have), `cores_used_by_others` what other processes took meanwhile.
    """

    power: list[tuple[float, float]] = field(default_factory=list)
    utilization: list[tuple[float, float]] = field(default_factory=list)
    clock: list[tuple[float, float]] = field(default_factory=list)
    reasons: list[tuple[float, frozenset[str]]] = field(default_factory=list)
    strangers: set[int] = field(default_factory=set)
    timed: tuple[float, float] | None = None
    cores_used_by_others: float | None = None

    @contextmanager
    def timing(self) -> Iterator[None]:
        """Mark the section in which the runs that count are timed."""
        meter, start = LoadMeter(), time.perf_counter()
        self.timed = (start, start)
        yield
        self.timed = (start, time.perf_counter())
        self.cores_used_by_others = meter.others()

    def conditions(self) -> Conditions:
        """Return what was seen in the timed section."""
        start, end = self.timed or (0.0, 0.0)
        reasons = frozenset[str]().union(*(names for at, names in self.reasons if start <= at <= end))
        clock = _mean(self.clock, start, end)
        return Conditions(frozenset(self.strangers), clock, tuple(sorted(reasons)), self.cores_used_by_others)

    def mean_power(self, start: float, end: float) -> float | None:
        """Return the mean watts between two times, None where nothing was read."""
        return _mean(self.power, start, end)

    def mean_utilization(self, start: float, end: float) -> float | None:
        """Return the mean percent between two times, None where nothing was read."""
        return _mean(self.utilization, start, end)


class Monitor:
    """Readings of one GPU; without NVML, or on the CPU, they stay empty.

    `others` are the processes that were on a GPU before this worker was.
    """

    def __init__(self, nvml: Nvml | None, gpu: str | None, others: frozenset[int]) -> None:
        self._nvml = nvml
        self._gpu = gpu or ""
        self._own = frozenset() if nvml is None else own_processes(_pids(nvml, self._gpu), others)

    @property
    def driver(self) -> str | None:
        return self._nvml.driver_version() if self._nvml is not None else None

    @contextmanager
    def watching(self) -> Iterator[Readings]:
        """Collect readings on a thread of its own until the context ends."""
        readings = Readings()
        if self._nvml is None:
            yield readings
            return
        stop = threading.Event()
        thread = threading.Thread(target=self._collect, args=(readings, stop), daemon=True)
        thread.start()
        try:
            yield readings
        finally:
            stop.set()
            thread.join()

    def _collect(self, readings: Readings, stop: threading.Event) -> None:
        assert self._nvml is not None
        while not stop.wait(PERIOD):
            try:
                reading = self._nvml.read(self._gpu)
                clock = self._nvml.clock(self._gpu)
            except GpuLost:
                # The trial itself fails with what CUDA says of it.
                return
            now = time.perf_counter()
            if reading.power_watts is not None:
                readings.power.append((now, reading.power_watts))
            if reading.utilization is not None:
                readings.utilization.append((now, float(reading.utilization)))
            if clock.sm_mhz is not None:
                readings.clock.append((now, float(clock.sm_mhz)))
            if clock.reasons:
                readings.reasons.append((now, clock.reasons))
            readings.strangers |= reading.compute_pids() - self._own


def processes_on_gpus() -> frozenset[int]:
    """Return who computes on any GPU of the machine; before CUDA starts in this process, it is not among them."""
    try:
        with open_nvml() as nvml:
            return frozenset().union(*(_pids(nvml, device.uuid) for device in nvml.devices()))
    except NoGpuError:
        return frozenset()


@contextmanager
def open_monitor(gpu: str | None, others: frozenset[int] = frozenset()) -> Iterator[Monitor]:
    """Yield a monitor of the GPU with this UUID; an idle one on the CPU or without NVML."""
    with ExitStack() as stack:
        nvml = None
        if gpu is not None:
            with suppress(NoGpuError):
                nvml = stack.enter_context(open_nvml())
        yield Monitor(nvml, gpu, others)


def _pids(nvml: Nvml, gpu: str) -> frozenset[int]:
    try:
        return nvml.read(gpu).compute_pids()
    except GpuLost:
        return frozenset()


def _mean(samples: list[tuple[float, float]], start: float, end: float) -> float | None:
    found = [value for moment, value in samples if start <= moment <= end]
    return fmean(found) if found else None
