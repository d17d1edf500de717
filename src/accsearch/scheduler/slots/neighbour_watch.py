"""Look for other processes on the GPU of a worker that does not look itself."""

from collections.abc import Iterable, Set

from accsearch.gpus.device import Process
from accsearch.gpus.neighbours import compute_pids, first_come, visible, with_nonce
from accsearch.gpus.owner import describe_process

FIRST, LONGEST = 1.0, 10.0
"""Seconds between two looks, growing from one to the other."""
EARLY = 120.0
"""Seconds after its start for which a worker leaves the GPU to an older process; later it has done too much."""


class NeighbourWatch:
    """Watches one attempt, known by its nonce; `tolerated` were on the GPU when it was found idle."""

    def __init__(self, nonce: str, tolerated: Set[int], now: float) -> None:
        self._nonce = nonce
        self._tolerated = tolerated
        self._ends = now + EARLY
        self._pause = FIRST
        self._due = now + FIRST
        self._known: frozenset[int] = frozenset()

    def next_look(self, now: float) -> float:
        """Return when to look next, infinity once it is too late for the worker to leave."""
        return self._due if now < self._ends else float("inf")

    def look(self, processes: Iterable[Process], now: float) -> tuple[str | None, str | None]:
        """Return who has come to the GPU since the last look, and why the worker has to leave; None for neither.

        Where our own processes are not listed, the numbers may be those of another process namespace, as in
        some containers: nothing is concluded then.
        """
        self._pause = min(2 * self._pause, LONGEST)
        self._due = now + self._pause
        newcomers = compute_pids(processes) - self._tolerated
        own = with_nonce(newcomers, self._nonce)
        others = frozenset(visible(newcomers - own)) if own else frozenset()
        news, self._known = others - self._known, self._known | others
        leaves = first_come(own, others) is not None
        return _names(
            news
        ), f"left to another process, which was started earlier: {_names(others)}" if leaves else None


def _names(pids: frozenset[int]) -> str | None:
    return ", ".join(map(describe_process, sorted(pids))) or None
