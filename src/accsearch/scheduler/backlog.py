"""The tasks that wait to be started, longest first."""

from bisect import insort
from collections.abc import Callable, Iterable, Iterator

from accsearch.scheduler.durations import Sample, TimeModel, prior
from accsearch.scheduler.slots.queued import QueuedTask

REORDER, REORDER_EACH = 1.0, 1e-2
"""Least seconds between two sorts, and more for each task that waits: a finished task changes what is expected of all,
but to predict and sort 100,000 takes seconds, and the order matters only when few are left."""
ALIKE = 0.05
"""Relative difference of expected times below which another task may be preferred for its pipeline."""
LOOK_AHEAD = 32
"""Most tasks that are looked at for one with the pipeline that the slot ran last."""


class Backlog:
    """Pending tasks in the order in which they should start; unknown times first, to learn them."""

    def __init__(self, pending: Iterable[QueuedTask], model: TimeModel) -> None:
        self._model = model
        self._given: dict[QueuedTask, tuple[float, int]] = {}
        self._queue: list[QueuedTask] = []
        self._retries: set[QueuedTask] = set()
        self._stale = False
        self._sorted_at = float("-inf")
        for queued in pending:
            self._expect(queued)
            self._queue.append(queued)
        self._queue.sort(key=self._rank)

    def __len__(self) -> int:
        return len(self._queue)

    def __iter__(self) -> Iterator[QueuedTask]:
        return reversed(self._queue)

    def add(self, queued: QueuedTask) -> None:
        """Add a task that waits, for the first time or again."""
        self._expect(queued)
        insort(self._queue, queued, key=self._rank)

    def learn(self, sample: Sample) -> None:
        """Take note of a finished task."""
        self._model.add(sample)
        self._stale = True

    def pop(self, now: float, admits: Callable[[QueuedTask], bool], pipe: object = None) -> QueuedTask | None:
        """Remove and return the task to start next, of those that `admits` accepts; the slot ran `pipe` last."""
        if self._stale and now - self._sorted_at >= max(REORDER, REORDER_EACH * len(self._queue)):
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
        self._retries = {queued for queued in self._retries if queued.not_before > now}
        return min((queued.not_before - now for queued in self._retries), default=None)

    def _expect(self, queued: QueuedTask) -> None:
        if queued.not_before:
            self._retries.add(queued)
        if queued not in self._given:
            self._given[queued] = prior(queued.task), -len(self._given)
        queued.expected = self._model.predict(queued.task)

    def _sort(self, now: float) -> None:
        for queued in self._queue:
            queued.expected = self._model.predict(queued.task)
        self._queue.sort(key=self._rank)
        self._stale = False
        self._sorted_at = now

    def _rank(self, queued: QueuedTask) -> tuple[float, float, int]:
        """Return a key that is highest for the next one, which can be taken from the end without moving the others."""
        expected = float("inf") if queued.expected is None else queued.expected
        return expected, *self._given[queued]


def _alike(one: QueuedTask, other: QueuedTask) -> bool:
    if one.expected is None or other.expected is None:
        return one.expected is other.expected and prior(one.task) == prior(other.task)
    return abs(one.expected - other.expected) <= ALIKE * max(one.expected, other.expected)
