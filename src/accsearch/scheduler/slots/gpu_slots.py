"""Give out GPUs: as many as tasks want, none longer than needed."""

import math
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from accsearch.config.schema import GpuConfig
from accsearch.errors import NoGpuError
from accsearch.gpus.device import Device
from accsearch.scheduler.slots.capacity import largest_memory
from accsearch.scheduler.slots.gpu_health import GpuHealth
from accsearch.scheduler.slots.gpu_slot import GpuSlot, GpuState, Probe
from accsearch.scheduler.slots.slot import Slot, Slots

PATIENCE = 900.0
"""Seconds after which a run whose GPUs are all lost gives up."""

WORTH_MOVING = 1 << 30
"""Bytes more that another GPU must have free for a task to move there."""

SHUNNED_LOOK = 30.0
"""Seconds until it is asked again whether a task wants a GPU that each shuns."""

ON_OFFER = (GpuState.TESTING, GpuState.RELEASING, GpuState.READY)
"""Ours and not at work, those first that are given back first."""


class GpuSlots(Slots):
    """The GPUs that a run may use; NVML is asked only about those that a task waits for or runs on."""

    def __init__(
        self,
        devices: Sequence[Device],
        probe: Probe,
        limits: GpuConfig,
        workdir: Path,
        say: Callable[[str], None],
        most: int | None = None,
    ) -> None:
        self._gpu_slots = {device.uuid: GpuSlot(device, probe, limits, workdir, say) for device in devices}
        self.health = GpuHealth(list(self._gpu_slots))
        self._shunned: Collection[str] = ()
        self._most = most or len(devices)
        self._wanted = 0
        self._lost_since: float | None = None

    def step(self, now: float, wanted: int, shunned: Collection[str] = ()) -> None:
        """Bring every GPU forward that is due; raises NoGpuError once all have been lost for long."""
        self._wanted = wanted
        self._shunned = shunned
        self._quarantine(now)
        self._give_back(now)
        for gpu_slot in self._due(now):
            if gpu_slot.held or (self._is_short() and gpu_slot.device.uuid not in shunned):
                gpu_slot.step(now)
        self._watch_losses(now)

    def ready(self) -> Sequence[Slot]:
        slots = [gpu_slot for gpu_slot in self._gpu_slots.values() if gpu_slot.state is GpuState.READY]
        return sorted(slots, key=lambda slot: -(slot.memory or 0))

    def elsewhere(self, gpus: Collection[str]) -> bool:
        return any(
            uuid not in gpus and gpu_slot.state is not GpuState.QUARANTINED
            for uuid, gpu_slot in self._gpu_slots.items()
        )

    def has_larger(self, slot: Slot) -> bool:
        rooms = [gpu_slot.room() for gpu_slot in self._gpu_slots.values() if gpu_slot.state is GpuState.OUT]
        return max(rooms, default=0) > (slot.memory or 0) + WORTH_MOVING

    def next_step(self, now: float) -> float | None:
        short = self._is_short()
        gpu_slots = self._gpu_slots.values()
        wanted = (
            gpu_slot
            for gpu_slot in gpu_slots
            if gpu_slot.held or (short and gpu_slot.device.uuid not in self._shunned)
        )
        soonest = min((gpu_slot.due for gpu_slot in wanted), default=math.inf)
        if self._shunned:
            soonest = min(soonest, now + SHUNNED_LOOK)
        if self._wanted and (change := self.health.next_change()) is not None:
            soonest = min(soonest, change)
        return None if soonest == math.inf else max(0.0, soonest - now)

    def why_none(self) -> str:
        idle = [gpu_slot for gpu_slot in self._gpu_slots.values() if gpu_slot.state is not GpuState.TAKEN]
        reasons = [f"{gpu_slot.name}: {gpu_slot.why}" for gpu_slot in idle]
        taken = self._count(GpuState.TAKEN)
        if taken:
            reasons.append(f"{taken} at work for this run")
        return f"a GPU ({'; '.join(reasons)})"

    def size(self) -> int:
        return min(self._most, len(self._gpu_slots) - self._count(GpuState.QUARANTINED))

    def largest(self) -> int | None:
        return largest_memory([gpu_slot.device for gpu_slot in self._gpu_slots.values()])

    def close(self) -> None:
        for gpu_slot in self._gpu_slots.values():
            gpu_slot.close()

    def _quarantine(self, now: float) -> None:
        """Take the GPUs out that fail their tasks, and readmit those whose time is over."""
        self.health.lost = [uuid for uuid, gpu_slot in self._gpu_slots.items() if gpu_slot.lost]
        faulty = self.health.faulty(now)
        for uuid, gpu_slot in self._gpu_slots.items():
            if uuid in faulty:
                gpu_slot.retire(faulty[uuid])
            else:
                gpu_slot.readmit(now)

    def _due(self, now: float) -> Sequence[GpuSlot]:
        """Return the GPUs with something to do: ours, then the others, those with most free memory first."""
        due = [gpu_slot for gpu_slot in self._gpu_slots.values() if gpu_slot.due <= now]
        ours, others = (
            [gpu_slot for gpu_slot in due if gpu_slot.held],
            [gpu_slot for gpu_slot in due if not gpu_slot.held],
        )
        if len(others) > 1 and self._is_short():
            others.sort(key=lambda gpu_slot: -gpu_slot.room())
        return [*ours, *others]

    def _count(self, *states: GpuState) -> int:
        return sum(gpu_slot.state in states for gpu_slot in self._gpu_slots.values())

    def _goal(self) -> int:
        """Return how many GPUs besides those at work are wanted."""
        return min(self._wanted, self._most - self._count(GpuState.TAKEN))

    def _is_short(self) -> bool:
        return self._count(*ON_OFFER) < self._goal()

    def _give_back(self, now: float) -> None:
        excess = self._count(*ON_OFFER) - self._goal()
        for state in ON_OFFER:
            for gpu_slot in self._gpu_slots.values():
                if excess > 0 and gpu_slot.state is state:
                    gpu_slot.drop(now, "not needed")
                    excess -= 1

    def _watch_losses(self, now: float) -> None:
        if not all(gpu_slot.lost for gpu_slot in self._gpu_slots.values()):
            self._lost_since = None
        elif self._lost_since is None:
            self._lost_since = now
        elif now - self._lost_since >= PATIENCE:
            raise NoGpuError(self.why_none())
