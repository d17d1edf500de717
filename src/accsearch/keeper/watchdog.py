"""Decide when a worker has run or been silent for too long; time is passed in (monotonic seconds)."""

from collections.abc import Callable

CHECKS_PER_STALL = 8
"""How often within one stall timeout the progress that makes no sound is looked at."""

Progress = Callable[[], tuple[int, ...]]


class Watchdog:
    """Deadlines of one attempt.

    Output is reported through `heard`. Silent progress (bytes of results, bytes written by the worker, as a
    slow download does) is whatever changes the value of `progress`, asked only now and then.
    """

    def __init__(
        self, timeout: float | None, stall_timeout: float | None, progress: Progress, now: float
    ) -> None:
        self._ends = None if timeout is None else now + timeout
        self._stall = stall_timeout
        self._progress = progress
        self._last = progress() if stall_timeout is not None else ()
        self._alive_at = now
        self._check_at = now + (stall_timeout or 0.0) / CHECKS_PER_STALL

    def heard(self, now: float) -> None:
        """Note that the worker has printed something."""
        self._alive_at = now

    def verdict(self, now: float) -> str | None:
        """Return `timeout` or `hang` once that has happened."""
        if self._ends is not None and now >= self._ends:
            return "timeout"
        if self._stall is None:
            return None
        if now >= self._check_at:
            self._check_at = now + self._stall / CHECKS_PER_STALL
            current = self._progress()
            if current != self._last:
                self._last = current
                self._alive_at = now
        return "hang" if now - self._alive_at >= self._stall else None

    def next_check(self, now: float) -> float | None:
        """Return in how many seconds `verdict` must be asked again; None for never."""
        times = [] if self._ends is None else [self._ends]
        if self._stall is not None:
            times.append(min(self._check_at, self._alive_at + self._stall))
        return max(0.0, min(times) - now) if times else None
