"""A clock and a selector in one: only what was planned happens, and waiting for it takes no time."""

import heapq
import itertools
import math
import selectors
from collections.abc import Callable

MARKER_PATIENCE = 60.0
"""Real seconds until the thread that writes markers counts as stuck."""


class Timeline(selectors.DefaultSelector):
    """Monotonic seconds that pass when the loop waits; `is_recording` says whether markers are being written."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.is_recording: Callable[[], bool] = lambda: False
        self._planned: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()

    def __call__(self) -> float:
        return self.now

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Plan what happens in so many seconds."""
        heapq.heappush(self._planned, (self.now + seconds, next(self._order), action))

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if ready := super().select(0):
            return ready
        if self.is_recording():
            ready = super().select(MARKER_PATIENCE)
            assert ready, "an outcome is not recorded"
            return ready
        planned = self._planned[0][0] if self._planned else math.inf
        awaited = math.inf if timeout is None else self.now + timeout
        assert min(planned, awaited) < math.inf, "the loop waits for what never comes"
        self.now = min(planned, awaited)
        if planned <= awaited:
            heapq.heappop(self._planned)[2]()
        return super().select(0)
