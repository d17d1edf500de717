"""Estimate when a run will be over."""

from collections.abc import Iterable

from accsearch.scheduler.backlog import Backlog
from accsearch.scheduler.options import Observer
from accsearch.scheduler.order import makespan
from accsearch.scheduler.places import Pool
from accsearch.scheduler.station import Station

INTERVAL = 1.0
"""Seconds between two estimates at least."""


class Forecast:
    """Tells the observer the time left, when asked and not too often."""

    def __init__(self, backlog: Backlog, pool: Pool, observer: Observer) -> None:
        self._backlog = backlog
        self._pool = pool
        self._observer = observer
        self._told_at = float("-inf")

    def tell(self, now: float, stations: Iterable[Station]) -> None:
        if now - self._told_at >= INTERVAL:
            self._told_at = now
            self._observer.time_left(self._estimate(now, stations))

    def _estimate(self, now: float, stations: Iterable[Station]) -> float | None:
        seconds = []
        for station in stations:
            if station.entry is not None and station.entry.expected is not None:
                seconds.append(max(0.0, station.entry.expected - (now - station.began)))
        for entry in self._backlog:
            if entry.expected is None:
                return None
            seconds.append(entry.expected)
        return makespan(seconds, self._pool.size())
