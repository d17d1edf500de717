"""Where tasks may start: the slots that the loop asks, and the one without GPUs."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from accsearch.cores import PASSIVE, THREADS, free_threads, usable_cores
from accsearch.cpu_load import LoadMeter
from accsearch.scheduler.slots.gpu_health import GpuHealth
from accsearch.scheduler.slots.queued import QueuedTask

LONGEST_LOOK = 0.3
"""Seconds of a run's beginning over which the load is measured, what it takes to plan the run included."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot; `gpu` is a UUID or None, `lease` the descriptor of its lease, `env` what its workers get."""

    id: str
    env: Mapping[str, str]
    gpu: str | None = None
    lease: int | None = None
    memory: int | None = None
    """Bytes free for a task; None if unknown or not limited."""
    tolerated: frozenset[int] = frozenset()
    """Processes that were on the GPU when it was found idle."""

    def admits(self, entry: QueuedTask) -> bool:
        """Return whether a task fits here."""
        return self.memory is None or entry.memory is None or entry.memory <= self.memory


class Slots(Protocol):
    """Gives out slots. Times are monotonic seconds."""

    health: GpuHealth

    def step(self, now: float, wanted: int, shunned: Collection[str] = ()) -> None:
        """Look for as many free slots as there are tasks that want one, and give up those in excess.

        `shunned` are the GPUs that no task wants.
        """
        ...

    def ready(self) -> Sequence[Slot]:
        """Return the slots on which a task may start now, the best first."""
        ...

    def confirm(self, slot: Slot, now: float) -> bool:
        """Look once more, right before a start, whether the slot is still free."""
        ...

    def take(self, slot: Slot, now: float, nonce: str | None = None) -> None:
        """Give a slot to a worker; one with a `nonce` does not look itself for others on its GPU."""
        ...

    def decline(self, slot: Slot, now: float, why: str | None = None) -> None:
        """Give up a slot that no task which waits can use, because it is too small or `why`."""
        ...

    def elsewhere(self, gpus: Collection[str]) -> bool:
        """Return whether a task that shuns `gpus` may get another one."""
        ...

    def gives_way(self, slot: Slot, now: float) -> bool:
        """Give up a slot for one with more free memory, if there may be one; return whether that was done."""
        ...

    def reserve(self, change: int) -> None:
        """Count `change` more tasks (fewer, if negative) that an earlier scheduler started."""
        ...

    def free(self, slot: Slot, now: float) -> str | None:
        """Take a slot back from an ended worker; return what is wrong with it, if that excuses a failure."""
        ...

    def holds(self, slot: Slot) -> bool:
        """Return whether the slot is still ours; an idle slot of one that is not is to be closed."""
        ...

    def trouble(self, slot: Slot) -> str | None:
        """Return why a slot at work has become unusable, None if it has not."""
        ...

    def next_step(self, now: float) -> float | None:
        """Return in how many seconds `step` wants to be called, None for not before something ends."""
        ...

    def why_none(self) -> str:
        """Say what a task without a slot waits for."""
        ...

    def size(self) -> int:
        """Return how many tasks may run at once at best."""
        ...

    def largest(self) -> int | None:
        """Return the memory of the largest slot in bytes, None if unknown or not limited."""
        ...

    def close(self) -> None: ...


class CpuSlots:
    """A fixed number of slots without GPUs; each worker gets its share of the free cores as threads.

    What is free is measured once, when the first task wants a slot, so that the tasks of a run compare.
    """

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._load = LoadMeter()
        self._ready: dict[str, Slot] = {}
        self._opened = False
        self._reserved = 0
        self.health = GpuHealth()

    def step(self, now: float, wanted: int, shunned: Collection[str] = ()) -> None:
        if self._opened or not wanted:
            return
        self._opened = True
        env = {"CUDA_VISIBLE_DEVICES": "", **dict.fromkeys(THREADS, str(self._threads())), **PASSIVE}
        for number in range(self._slots):
            self._ready[f"cpu{number}"] = Slot(f"cpu{number}", env)

    def _threads(self) -> int:
        cores = usable_cores()
        others = None
        # Tasks of an earlier scheduler are among the others, but not beyond their own share.
        if cores > self._slots and not self._reserved:
            others = self._load.others_soon(LONGEST_LOOK)
        return max(1, free_threads(cores, others) // self._slots)

    def ready(self) -> Sequence[Slot]:
        return list(self._ready.values())[: max(0, len(self._ready) - self._reserved)]

    def confirm(self, slot: Slot, now: float) -> bool:
        return True

    def take(self, slot: Slot, now: float, nonce: str | None = None) -> None:
        del self._ready[slot.id]

    def decline(self, slot: Slot, now: float, why: str | None = None) -> None:
        pass

    def elsewhere(self, gpus: Collection[str]) -> bool:
        return False

    def gives_way(self, slot: Slot, now: float) -> bool:
        return False

    def reserve(self, change: int) -> None:
        self._reserved += change

    def free(self, slot: Slot, now: float) -> str | None:
        self._ready[slot.id] = slot
        return None

    def holds(self, slot: Slot) -> bool:
        return True

    def trouble(self, slot: Slot) -> str | None:
        return None

    def next_step(self, now: float) -> float | None:
        return None

    def why_none(self) -> str:
        return f"one of {self._slots} slots"

    def size(self) -> int:
        return self._slots

    def largest(self) -> int | None:
        return None

    def close(self) -> None:
        pass
