"""Give out GPUs: as many as tasks want, none longer than needed."""

import math
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from accsearch.config.schema import GpuConfig
from accsearch.errors import NoGpuError
from accsearch.gpus.device import Device
from accsearch.gpus.idle import gib
from accsearch.scheduler.card import Card, Probe, State
from accsearch.scheduler.fit import largest_memory
from accsearch.scheduler.gpu_health import GpuHealth
from accsearch.scheduler.places import Place

PATIENCE = 900.0
"""Seconds after which a run whose GPUs are all lost gives up."""

WORTH_MOVING = 1 << 30
"""Bytes more that another GPU must have free for a task to move there."""

SHUNNED_LOOK = 30.0
"""Seconds until it is asked again whether a task wants a GPU that each shuns."""

ON_OFFER = (State.TESTING, State.RELEASING, State.READY)
"""Ours and not at work, those first that are given back first."""


class GpuPool:
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
        self._cards = {device.uuid: Card(device, probe, limits, workdir, say) for device in devices}
        self.health = GpuHealth(list(self._cards))
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
        for card in self._due(now):
            if card.held or (self._is_short() and card.device.uuid not in shunned):
                card.step(now)
        self._watch_losses(now)

    def ready(self) -> Sequence[Place]:
        places = [card.place() for card in self._cards.values() if card.state is State.READY]
        return sorted(places, key=lambda place: -(place.memory or 0))

    def confirm(self, place: Place, now: float) -> bool:
        return self._cards[place.id].confirm(now)

    def take(self, place: Place, now: float, nonce: str | None = None) -> None:
        self._cards[place.id].take(now, nonce)

    def decline(self, place: Place, now: float, why: str | None = None) -> None:
        free = "unknown memory" if place.memory is None else gib(place.memory)
        self._cards[place.id].drop(now, why or f"{free} free, the tasks that wait need more")

    def elsewhere(self, gpus: Collection[str]) -> bool:
        return any(
            uuid not in gpus and card.state is not State.QUARANTINED for uuid, card in self._cards.items()
        )

    def gives_way(self, place: Place, now: float) -> bool:
        rooms = [card.room() for card in self._cards.values() if card.state is State.OUT]
        if max(rooms, default=0) <= (place.memory or 0) + WORTH_MOVING:
            return False
        self._cards[place.id].drop(now, "a task that ran out of memory looks for more")
        return True

    def reserve(self, change: int) -> None:
        """Do nothing: an adopted keeper holds the lease of its GPU itself."""

    def free(self, place: Place, now: float) -> str | None:
        return self._cards[place.id].free(now)

    def holds(self, place: Place) -> bool:
        return self._cards[place.id].held

    def trouble(self, place: Place) -> str | None:
        card = self._cards[place.id]
        why = card.why if card.state is State.QUARANTINED else card.taken_by
        return f"{card.name}: {why}" if why else None

    def next_step(self, now: float) -> float | None:
        short = self._is_short()
        cards = self._cards.values()
        wanted = (card for card in cards if card.held or (short and card.device.uuid not in self._shunned))
        soonest = min((card.due for card in wanted), default=math.inf)
        if self._shunned:
            soonest = min(soonest, now + SHUNNED_LOOK)
        if self._wanted and (change := self.health.next_change()) is not None:
            soonest = min(soonest, change)
        return None if soonest == math.inf else max(0.0, soonest - now)

    def why_none(self) -> str:
        idle = [card for card in self._cards.values() if card.state is not State.TAKEN]
        reasons = [f"{card.name}: {card.why}" for card in idle]
        taken = self._count(State.TAKEN)
        if taken:
            reasons.append(f"{taken} at work for this run")
        return f"a GPU ({'; '.join(reasons)})"

    def size(self) -> int:
        return min(self._most, len(self._cards) - self._count(State.QUARANTINED))

    def largest(self) -> int | None:
        return largest_memory([card.device for card in self._cards.values()])

    def close(self) -> None:
        for card in self._cards.values():
            card.close()

    def _quarantine(self, now: float) -> None:
        """Take the GPUs out that fail their tasks, and readmit those whose time is over."""
        self.health.lost = [uuid for uuid, card in self._cards.items() if card.lost]
        faulty = self.health.faulty(now)
        for uuid, card in self._cards.items():
            if uuid in faulty:
                card.retire(faulty[uuid])
            else:
                card.readmit(now)

    def _due(self, now: float) -> Sequence[Card]:
        """Return the GPUs with something to do: ours, then the others, those with most free memory first."""
        due = [card for card in self._cards.values() if card.due <= now]
        ours, others = [card for card in due if card.held], [card for card in due if not card.held]
        if len(others) > 1 and self._is_short():
            others.sort(key=lambda card: -card.room())
        return [*ours, *others]

    def _count(self, *states: State) -> int:
        return sum(card.state in states for card in self._cards.values())

    def _goal(self) -> int:
        """Return how many GPUs besides those at work are wanted."""
        return min(self._wanted, self._most - self._count(State.TAKEN))

    def _is_short(self) -> bool:
        return self._count(*ON_OFFER) < self._goal()

    def _give_back(self, now: float) -> None:
        excess = self._count(*ON_OFFER) - self._goal()
        for state in ON_OFFER:
            for card in self._cards.values():
                if excess > 0 and card.state is state:
                    card.drop(now, "not needed")
                    excess -= 1

    def _watch_losses(self, now: float) -> None:
        if not all(card.lost for card in self._cards.values()):
            self._lost_since = None
        elif self._lost_since is None:
            self._lost_since = now
        elif now - self._lost_since >= PATIENCE:
            raise NoGpuError(self.why_none())
