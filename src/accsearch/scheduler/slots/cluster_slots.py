"""The slots of a run on a cluster: as many as its executor can serve, wherever they are."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence

from accsearch.scheduler.slots.gpu_health import GpuHealth
from accsearch.scheduler.slots.slot import Slot, Slots

LOOK = 10.0
"""Seconds between two questions to the executor for its capacity, while tasks wait."""
REST_FIRST, REST_LONGEST = 2.0, 60.0
"""Seconds for which a slot rests that could not start a task, doubling each time up to the longest."""


class ClusterSlot(Slot):
    """One of the tasks that a cluster runs at once; which GPU that is, the node says once a worker starts."""

    def __init__(self, identity: str, *, on_gpu: bool) -> None:
        super().__init__(identity, {})
        self.due = -math.inf
        self.why = ""
        self._on_gpu = on_gpu
        self._kept = True
        self._pause = REST_FIRST

    def pins(self) -> Mapping[str, str]:
        return {} if self._on_gpu else super().pins()

    @property
    def held(self) -> bool:
        return self._kept

    def take(self, now: float, nonce: str | None = None) -> None:
        super().take(now, nonce)
        self._kept = True
        self.why = ""

    def drop(self, now: float, why: str) -> None:
        """Rest for a while, so that other slots get the task."""
        again = now - self.due < REST_LONGEST
        self._pause = min(2 * self._pause, REST_LONGEST) if again else REST_FIRST
        self.why = why
        self.due = now + self._pause

    def release(self) -> None:
        """Let the runner of an idle slot go, and with it what the cluster has reserved for it."""
        self._kept = False


class ClusterSlots(Slots):
    """Grows and shrinks with the executor's capacity, which is asked for again while tasks wait."""

    def __init__(self, name: str, capacity: Callable[[], int], *, on_gpus: bool) -> None:
        self.health = GpuHealth()
        self._name = name
        self._capacity = capacity
        self._on_gpus = on_gpus
        self._slots: list[ClusterSlot] = []
        self._size = 0
        self._reserved = 0
        self._asked_at = -math.inf
        self._now = 0.0
        self._wanted = 0

    def step(self, now: float, wanted: int, shunned: Collection[str] = ()) -> None:
        self._now = now
        self._wanted = wanted
        if wanted and now - self._asked_at >= LOOK:
            self._asked_at = now
            self._size = self._capacity()
            for number in range(len(self._slots), self._size):
                self._slots.append(ClusterSlot(f"{self._name}{number}", on_gpu=self._on_gpus))
        idle = [slot for slot in self._slots if not slot.at_work]
        for slot in idle[wanted:]:
            slot.release()

    def ready(self) -> Sequence[Slot]:
        at_work = sum(slot.at_work for slot in self._slots)
        free = [slot for slot in self._slots if not slot.at_work and slot.due <= self._now]
        return free[: max(0, self._size - at_work - self._reserved)]

    def next_step(self, now: float) -> float | None:
        if not self._wanted:
            return None
        dues = [slot.due for slot in self._slots if not slot.at_work and slot.due > now]
        return max(0.0, min([self._asked_at + LOOK, *dues]) - now)

    def why_none(self) -> str:
        resting = [slot.why for slot in self._slots if not slot.at_work and slot.why]
        if not self._size:
            return f"a node: {self._name} has none that can run a task now"
        more = f" ({'; '.join(dict.fromkeys(resting))})" if resting else ""
        return f"one of {self._size} slots of {self._name}{more}"

    def size(self) -> int:
        return self._size

    def reserve(self, change: int) -> None:
        self._reserved += change
