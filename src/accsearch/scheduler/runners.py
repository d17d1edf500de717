"""The runners that a run has opened or adopted, each with what it is at work on."""

import selectors
from collections.abc import Callable, Collection, Iterator

from accsearch.executors.executor import Runner
from accsearch.scheduler.slots.occupied import OccupiedSlot
from accsearch.scheduler.slots.slot import Slot


class Runners:
    """Those of this run's slots, by slot, and those adopted; `on_ready` hears of one that has something to read."""

    def __init__(self, selector: selectors.BaseSelector, on_ready: Callable[[OccupiedSlot], None]) -> None:
        self._selector = selector
        self._on_ready = on_ready
        self._by_slot: dict[str, OccupiedSlot] = {}
        self._adopted: set[OccupiedSlot] = set()

    def __iter__(self) -> Iterator[OccupiedSlot]:
        return iter((*self._by_slot.values(), *self._adopted))

    @property
    def of_slots(self) -> Collection[OccupiedSlot]:
        """Those that serve a slot of this run."""
        return self._by_slot.values()

    @property
    def are_busy(self) -> bool:
        """Whether an attempt is awaited from any of them."""
        return bool(self._adopted) or any(each.queued for each in self._by_slot.values())

    def of(self, slot: Slot) -> OccupiedSlot | None:
        """Return the runner of a slot, if it has one."""
        return self._by_slot.get(slot.id)

    def open(self, runner: Runner, slot: Slot) -> OccupiedSlot:
        """Take in a new runner of a slot."""
        occupied = self._by_slot[slot.id] = OccupiedSlot(runner, slot)
        self._watch(occupied)
        return occupied

    def adopt(self, runner: Runner) -> OccupiedSlot:
        """Take in the runner of an attempt that an earlier scheduler started."""
        occupied = OccupiedSlot(runner, None)
        self._adopted.add(occupied)
        self._watch(occupied)
        return occupied

    def settle(self, occupied: OccupiedSlot) -> None:
        """Note that the attempt of an adopted runner is over; it takes no other."""
        self._adopted.discard(occupied)

    def close(self, occupied: OccupiedSlot) -> None:
        """Close a runner and hear of it no more."""
        if occupied.slot is not None:
            del self._by_slot[occupied.slot.id]
        self._selector.unregister(occupied.runner)
        occupied.runner.close()

    def close_idle(self) -> None:
        """Close those of slots where nothing runs."""
        for occupied in list(self._by_slot.values()):
            if occupied.queued is None:
                self.close(occupied)

    def _watch(self, occupied: OccupiedSlot) -> None:
        self._selector.register(occupied.runner, selectors.EVENT_READ, lambda: self._on_ready(occupied))
