"""The slots of a run without GPUs."""

from collections.abc import Collection, Sequence

from accsearch.cores import shared_settings, usable_cores
from accsearch.cpu_load import LoadMeter
from accsearch.scheduler.slots.gpu_health import GpuHealth
from accsearch.scheduler.slots.slot import Slot, Slots

LONGEST_LOOK = 0.3
"""Seconds of a run's beginning over which the load is measured, what it takes to plan the run included."""


class CpuSlots(Slots):
    """A fixed number of slots without GPUs; each worker gets its share of the free cores as threads.

    What is free is measured once, when the first task wants a slot, so that the tasks of a run compare.
    """

    def __init__(self, size: int) -> None:
        self.health = GpuHealth()
        self._size = size
        self._load = LoadMeter()
        self._slots: list[Slot] = []
        self._reserved = 0

    def step(self, now: float, wanted: int, shunned: Collection[str] = ()) -> None:
        if wanted and not self._slots:
            env = self._thread_settings()
            self._slots = [Slot(f"cpu{number}", env) for number in range(self._size)]

    def ready(self) -> Sequence[Slot]:
        free = [slot for slot in self._slots if not slot.at_work]
        return free[: max(0, len(free) - self._reserved)]

    def why_none(self) -> str:
        return f"one of {self._size} slots"

    def size(self) -> int:
        return self._size

    def reserve(self, change: int) -> None:
        self._reserved += change

    def _thread_settings(self) -> dict[str, str]:
        cores = usable_cores()
        others = None
        # Tasks of an earlier scheduler are among the others, but not beyond their own share.
        if cores > self._size and not self._reserved:
            others = self._load.others_soon(LONGEST_LOOK)
        return shared_settings(cores, others, {}, self._size)
