"""One GPU in the hands of a scheduler: leased, tested, given to a worker, waited for, quarantined."""

from collections.abc import Callable, Sequence
from enum import Enum, auto
from pathlib import Path
from typing import Protocol

from accsearch.config.schema import GpuConfig
from accsearch.gpus.device import Device, DriverLost, GpuLost, Process, Reading
from accsearch.gpus.idle import INTERVAL, IdleTest, Release, ReleaseState, released
from accsearch.gpus.lease import Lease, acquire, holder
from accsearch.gpus.owner import describe_process
from accsearch.scheduler.slots.neighbour_watch import NeighbourWatch
from accsearch.scheduler.slots.slot import Slot

RETRY = 2.0
"""Seconds until a GPU that was busy or leased is looked at again, while a task waits for one."""
HEALTH = 10.0
"""Seconds between two looks at a GPU at work: is it still there?"""
RELEASE_FIRST, RELEASE_LONGEST = 0.05, 1.0
"""Seconds between two looks at memory that an ended worker still holds, growing from one to the other."""
ISOLATED_FIRST, ISOLATED_LONGEST = 5.0, 300.0
"""Seconds until a GPU that was lost, or whose memory stayed in use, is tried again, doubling each time."""


class GpuState(Enum):
    OUT = auto()
    """Not ours."""
    TESTING = auto()
    """Leased; is it idle?"""
    READY = auto()
    TAKEN = auto()
    RELEASING = auto()
    """Its worker has ended; is its memory free again?"""
    QUARANTINED = auto()


class Probe(Protocol):
    """Where readings come from; raises GpuLost."""

    def read(self, uuid: str) -> Reading: ...

    def processes(self, uuid: str) -> Sequence[Process]: ...


class GpuSlot(Slot):
    """The state of one GPU; `due` is when `step` has something to do."""

    def __init__(
        self, device: Device, probe: Probe, limits: GpuConfig, workdir: Path, say: Callable[[str], None]
    ) -> None:
        super().__init__(device.uuid, {}, device.uuid)
        self.device = device
        self.state = GpuState.OUT
        self.why = "not looked at yet"
        self.due = 0.0
        self.lost = False
        self._probe = probe
        self._limits = limits
        self._workdir = workdir
        self._say = say
        self._lease: Lease | None = None
        self._test = IdleTest(limits, describe_process)
        self._before: Reading | None = None
        self._seen = float("-inf")
        self._pause = RELEASE_FIRST
        self._give_up_at = 0.0
        self._quarantine = ISOLATED_FIRST
        self._retired = False
        self._taken_by: str | None = None
        """Why the worker at work has to leave."""
        self._watch: NeighbourWatch | None = None
        self._health_at = 0.0

    @property
    def name(self) -> str:
        return f"GPU {self.device.label}"

    @property
    def held(self) -> bool:
        return self._lease is not None

    @property
    def lease(self) -> int | None:
        return None if self._lease is None else self._lease.fileno()

    @property
    def trouble(self) -> str | None:
        why = self.why if self.state is GpuState.QUARANTINED else self._taken_by
        return f"{self.name}: {why}" if why else None

    def room(self) -> int:
        """Return how many bytes are free on a GPU that is not ours, 0 if that is not known."""
        try:
            return self._probe.read(self.device.uuid).memory_free or 0
        except GpuLost:
            return 0

    def step(self, now: float) -> None:
        """Do what is due."""
        match self.state:
            case GpuState.QUARANTINED if self.at_work:
                self.due = now + HEALTH  # its worker is being ended; `free` follows
            case GpuState.OUT | GpuState.QUARANTINED:
                self._enter(now)
            case GpuState.TESTING:
                self._sample(now)
            case GpuState.RELEASING:
                self._await_release(now)
            case GpuState.TAKEN:
                self._look_after(now)
            case GpuState.READY:
                self.due = float("inf")

    def take(self, now: float, nonce: str | None = None) -> None:
        super().take(now, nonce)
        self.state = GpuState.TAKEN
        self._taken_by = None
        self._watch = NeighbourWatch(nonce, self.tolerated, now) if nonce is not None else None
        self._health_at = now + HEALTH
        self.due = self._next_look(now)

    def confirm(self, now: float) -> bool:
        if now <= self._seen:
            return True
        outcome = self._released(now, worker_ended=False)
        if outcome is None:
            return False
        if outcome.state is not ReleaseState.FREE:
            self._say(f"{self.name}: {outcome.why} before a task could start; the task goes back")
            self.drop(now, outcome.why)
        return outcome.state is ReleaseState.FREE

    def free(self, now: float) -> str | None:
        super().free(now)
        self._taken_by = None
        if self.state is GpuState.QUARANTINED:
            return f"{self.name}: {self.why}"
        self.state = GpuState.RELEASING
        self._pause = RELEASE_FIRST
        self._give_up_at = now + self._limits.release_timeout
        self._await_release(now)
        if self.state is GpuState.OUT or (self.state is GpuState.QUARANTINED and self.lost):
            return f"{self.name}: {self.why}"
        return None

    def drop(self, now: float, why: str) -> None:
        self.close()
        self.state = GpuState.OUT
        self.why = why
        self.due = now + RETRY

    def retire(self, why: str) -> None:
        """Give out no more of a GPU that fails its tasks; one at work ends its task first."""
        if not self._retired and self.state in (GpuState.OUT, GpuState.TESTING, GpuState.READY):
            self._retired = True
            self._say(f"{self.name}: quarantined: {why}")
            self.close()
            self.state = GpuState.QUARANTINED
            self.why = f"quarantined: {why}"
            self.due = float("inf")

    def readmit(self, now: float) -> None:
        """Offer a retired GPU again."""
        if self._retired:
            self._retired = False
            self._say(f"{self.name}: tried again")
            self.drop(now, "tried again after its quarantine")
            self.due = now

    def close(self) -> None:
        if self._lease is not None:
            self._lease.close()
            self._lease = None

    def _look_after(self, now: float) -> None:
        """Watch a GPU at work: is it still there, and who else is on it?"""
        if self._watch is not None and now >= self._watch.next_look(now):
            self._look_for_others(self._watch, now)
        if now >= self._health_at:
            self._health_at = now + HEALTH
            if self._lease is not None:
                self._lease.touch()
            self._read(now)
        if self.state is GpuState.TAKEN:
            self.due = self._next_look(now)

    def _next_look(self, now: float) -> float:
        return min(self._health_at, self._watch.next_look(now) if self._watch is not None else float("inf"))

    def _look_for_others(self, watch: NeighbourWatch, now: float) -> None:
        try:
            news, why = watch.look(self._probe.processes(self.device.uuid), now)
        except GpuLost:
            return  # the next reading says so
        if news is not None:
            self._say(f"{self.name}: another process is on it, too: {news}")
        self._taken_by = why

    def _enter(self, now: float) -> None:
        """Lease the GPU and begin the idle test."""
        was_quarantined = self.state is GpuState.QUARANTINED
        self._lease = acquire(self.device.uuid, self._workdir)
        if self._lease is None:
            self.state = GpuState.OUT
            self.why = str(holder(self.device.uuid) or "leased by another process")
            self.due = now + RETRY
            return
        self.state = GpuState.TESTING
        self._test = IdleTest(self._limits, describe_process)
        self._sample(now)
        if was_quarantined and self.state is not GpuState.QUARANTINED:
            self._say(f"{self.name}: answers again")
            self.lost = False

    def _sample(self, now: float) -> None:
        reading = self._read(now)
        if reading is None:
            return
        self._test.add(reading, now)
        verdict = self._test.verdict()
        self.why = verdict.why
        self.due = now + INTERVAL
        if verdict.idle:
            self.state = GpuState.READY
            self._before = reading
            self.tolerated = reading.compute_pids()
            self._quarantine = ISOLATED_FIRST
            self.due = float("inf")
        elif verdict.idle is False:
            self.drop(now, verdict.why)

    def _await_release(self, now: float) -> None:
        outcome = self._released(now, worker_ended=True)
        if outcome is None:
            return
        self.why = outcome.why
        if outcome.state is ReleaseState.FREE:
            self.state = GpuState.READY
            self.due = float("inf")
        elif outcome.state is ReleaseState.FOREIGN:
            self._say(f"{self.name}: {outcome.why}; given up")
            self.drop(now, outcome.why)
        elif now >= self._give_up_at:
            waited = f"{self._limits.release_timeout:g} s after its worker's end"
            self._isolate(now, f"{outcome.why} {waited}")
        else:
            self.due = min(now + self._pause, self._give_up_at)
            self._pause = min(2 * self._pause, RELEASE_LONGEST)

    def _released(self, now: float, *, worker_ended: bool) -> Release | None:
        reading = self._read(now)
        if reading is None or self._before is None:
            return None
        own: set[int] = set()
        if worker_ended:
            # Listed but no longer there: nobody's but our worker's, about to be cleared away.
            own = {pid for pid in reading.compute_pids() if not Path(f"/proc/{pid}").exists()}
        return released(reading, self._before, own, self._limits, describe_process)

    def _read(self, now: float) -> Reading | None:
        """Return a reading, None if the GPU is lost, which quarantines it."""
        try:
            reading = self._probe.read(self.device.uuid)
        except GpuLost as error:
            if isinstance(error, DriverLost) and self.at_work:
                return None
            self.lost = True
            self._isolate(now, f"lost: {error}")
            return None
        self._seen = now
        self.memory = reading.memory_free
        return reading

    def _isolate(self, now: float, why: str) -> None:
        if self.why != why or self.state is not GpuState.QUARANTINED:
            self._say(f"{self.name}: quarantined: {why}")
        self.close()
        self.state = GpuState.QUARANTINED
        self.why = why
        self.due = now + self._quarantine
        self._quarantine = min(2 * self._quarantine, ISOLATED_LONGEST)
