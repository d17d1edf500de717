"""Attempts that are recorded as at work on other hosts: awaited while they live, taken over when they do not."""

from collections.abc import Iterator
from dataclasses import dataclass

from accsearch.checkpoint import heartbeat
from accsearch.checkpoint.heartbeat import Watch, is_owned
from accsearch.checkpoint.markers import Running
from accsearch.executors.executor import Ended
from accsearch.executors.local import read_end
from accsearch.scheduler.slots.queued import QueuedTask


@dataclass(frozen=True, slots=True)
class SettledAttempt:
    """An attempt that needs no more waiting: how it ended, or else why its task may run again."""

    queued: QueuedTask
    running: Running
    ended: Ended | None
    why: str = ""


class ForeignAttempts:
    """The attempts on other hosts that one run awaits; times are monotonic seconds of this host alone."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._waiting: dict[QueuedTask, Running] = {}
        self._look_at = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, queued: QueuedTask, running: Running) -> None:
        """Await the end of an attempt, or of its signs of life."""
        self._waiting[queued] = running

    def step(self, now: float) -> list[SettledAttempt]:
        """Look at each attempt, if it is time to; return those that are settled, which are not looked at again."""
        if now < self._look_at:
            return []
        self._look_at = now + heartbeat.LOOK
        settled = list(self._settled(now))
        for each in settled:
            del self._waiting[each.queued]
        return settled

    def next_look(self, now: float) -> float | None:
        """Return in how many seconds `step` wants to be called; None where nothing is awaited."""
        return max(0.0, self._look_at - now) if self._waiting else None

    def _settled(self, now: float) -> Iterator[SettledAttempt]:
        for queued, running in self._waiting.items():
            ended = read_end(queued.paths, running.nonce)
            if ended is not None:
                yield SettledAttempt(queued, running, ended)
            elif not is_owned(queued.paths.running, running.nonce):
                yield SettledAttempt(queued, running, None, f"freed from host {running.host}")
            elif (silent := self._watch.look_at_task(queued.paths, now)) >= heartbeat.SILENCE:
                why = f"no sign of life from host {running.host} for {silent:.0f} s"
                yield SettledAttempt(queued, running, None, why)
