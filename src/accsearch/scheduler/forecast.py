"""Estimate when a run will be over."""

from collections.abc import Iterable

from accsearch.scheduler.backlog import Backlog
from accsearch.scheduler.durations import makespan
from accsearch.scheduler.options import Observer
from accsearch.scheduler.slots.occupied import OccupiedSlot
from accsearch.scheduler.slots.slot import Slots

INTERVAL, INTERVAL_EACH = 1.0, 1e-2
"""Seconds between two estimates at least, and more for each task that waits."""


class Forecast:
    """Gives the observer an estimate of the seconds left, now and then."""

    def __init__(self, backlog: Backlog, slots: Slots, observer: Observer) -> None:
        self._backlog = backlog
        self._slots = slots
        self._observer = observer
        self._updated_at = float("-inf")

    def update(self, now: float, occupied_slots: Iterable[OccupiedSlot]) -> None:
        if now - self._updated_at >= max(INTERVAL, INTERVAL_EACH * len(self._backlog)):
            self._updated_at = now
            self._observer.time_left(self._estimate(now, occupied_slots))

    def _estimate(self, now: float, occupied_slots: Iterable[OccupiedSlot]) -> float | None:
        seconds = []
        for occupied in occupied_slots:
            if occupied.queued is not None and occupied.queued.expected is not None:
                seconds.append(max(0.0, occupied.queued.expected - (now - occupied.began)))
        for queued in self._backlog:
            if queued.expected is None:
                return None
            seconds.append(queued.expected)
        return makespan(seconds, self._slots.size())
