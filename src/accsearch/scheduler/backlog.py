"""The tasks that wait to be started, longest first."""

from collections.abc import Callable, Iterable, Iterator

from accsearch.scheduler.durations import Sample, TimeModel, prior
from accsearch.scheduler.slots.queued import QueuedTask

REORDER = 1.0
"""Least seconds between two sorts: each finished task changes what is expected, but a sort of all takes time."""
ALIKE = 0.05
"""Relative difference of expected times below which another task may be preferred for its pipeline."""
LOOK_AHEAD = 32
"""Most tasks that are looked at for one with the pipeline that the slot ran last."""


class Backlog:
    """Pending tasks in the order in which they should start; unknown times first, to learn them."""

    def __init__(self, pending: Iterable[QueuedTask], model: TimeModel) -> None:
        self._model = model
        self._given: dict[QueuedTask, int] = {}
        self._queue: list[QueuedTask] = []
        self._retries: set[QueuedTask] = set()
        self._stale = True
        self._sorted_at = float("-inf")
        for queued in pending:
            self.add(queued)

    def __len__(self) -> int:
        return len(self._queue)

    def __iter__(self) -> Iterator[QueuedTask]:
        return reversed(self._queue)

    def add(self, queued: QueuedTask) -> None:
        """Add a task that waits, for the first time or again."""
        if queued.not_before:
            self._retries.add(queued)
        self._given.setdefault(queued, len(self._given))
        queued.expected = self._model.predict(queued.task)
        self._queue.append(queued)
        self._stale = True
        self._sorted_at = float("-inf")

    def learn(self, sample: Sample) -> None:
        """Take note of a finished task."""
        self._model.add(sample)
        self._stale = True

    def pop(self, now: float, admits: Callable[[QueuedTask], bool], pipe: object = None) -> QueuedTask | None:
        """Remove and return the task to start next, of those that `admits` accepts; the slot ran `pipe` last."""
        if self._stale and now - self._sorted_at >= REORDER:
            self._sort(now)
        first: int | None = None
        seen = 0
        for position in range(len(self._queue) - 1, -1, -1):
            queued = self._queue[position]
            if queued.not_before > now or not admits(queued):
                continue
            if first is None:
                first = position
            seen += 1
            if queued.task.axes.get("pipe") == pipe or not _alike(queued, self._queue[first]):
                if _alike(queued, self._queue[first]):
                    first = position
                break
            if seen >= LOOK_AHEAD:
                break
        if first is None:
            return None
        queued = self._queue.pop(first)
        self._retries.discard(queued)
        return queued

    def next_retry(self, now: float) -> float | None:
        """Return in how many seconds the first retry that is held back may start, None without one."""
        held = [queued.not_before - now for queued in self._retries if queued.not_before > now]
        return min(held, default=None)

    def _sort(self, now: float) -> None:
        for queued in self._queue:
            queued.expected = self._model.predict(queued.task)
        # The next one is at the end, from where it can be taken without moving the others.
        self._queue.sort(key=self._rank, reverse=True)
        self._stale = False
        self._sorted_at = now

    def _rank(self, queued: QueuedTask) -> tuple[float, float, int]:
        expected = float("inf") if queued.expected is None else queued.expected
        return -expected, -prior(queued.task), self._given[queued]


def _alike(one: QueuedTask, other: QueuedTask) -> bool:
    if one.expected is None or other.expected is None:
        return one.expected is other.expected and prior(one.task) == prior(other.task)
    return abs(one.expected - other.expected) <= ALIKE * max(one.expected, other.expected)
