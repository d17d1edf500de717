"""The loop: events in, jobs out. It sleeps until a descriptor is readable or a deadline is near."""

import selectors
import time
from collections.abc import Callable, Mapping

from accsearch.checkpoint.markers import Running
from accsearch.errors import StorageError
from accsearch.executors.executor import Ended, Event, Executor, Runner, RunnerGone
from accsearch.scheduler.backlog import Backlog
from accsearch.scheduler.ending import FAILED, Ending, Shutdown, stop_for_storage
from accsearch.scheduler.forecast import Forecast
from accsearch.scheduler.foreign import ForeignAttempts
from accsearch.scheduler.interrupts import Signals
from accsearch.scheduler.jobs import job_of
from accsearch.scheduler.lock import Lock
from accsearch.scheduler.options import Observer
from accsearch.scheduler.orphans import end_attempt, orphans_of
from accsearch.scheduler.policy import Streak, put_back
from accsearch.scheduler.second_opinion import SecondOpinion
from accsearch.scheduler.settling import Settling
from accsearch.scheduler.slots.occupied import OccupiedSlot
from accsearch.scheduler.slots.queued import QueuedTask
from accsearch.scheduler.slots.slot import Slot, Slots
from accsearch.scheduler.waiting import Waiting
from accsearch.task import TaskState, WorkerExit
from accsearch.workdir import WorkDir

Clock = Callable[[], float]


class Loop:
    """Starts entries of the backlog on slots of the slots until all are over, or until asked to end."""

    def __init__(
        self,
        workdir: WorkDir,
        backlog: Backlog,
        slots: Slots,
        executor: Executor,
        signals: Signals,
        observer: Observer,
        *,
        lock: Lock,
        foreign: ForeignAttempts,
        cwd: Mapping[str, str],
        streak: Streak,
        keep_stale: bool = False,
        clock: Clock = time.monotonic,
    ) -> None:
        self.ending = Ending()
        self._workdir = workdir
        self._backlog = backlog
        self._slots = slots
        self._executor = executor
        self._signals = signals
        self._observer = observer
        self._lock = lock
        self._foreign = foreign
        self._cwd = cwd
        self._clock = clock
        self._settling = Settling(
            workdir,
            backlog,
            self.ending,
            observer,
            streak,
            slots.health,
            clock,
            lock.check,
            keep_stale=keep_stale,
        )
        self._second_opinion = SecondOpinion(slots, backlog)
        self._waiting = Waiting(workdir, observer)
        self._forecast = Forecast(backlog, slots, observer)
        self._occupied_slots: dict[str, OccupiedSlot] = {}
        self._adopted: set[OccupiedSlot] = set()
        self._selector = selectors.DefaultSelector()
        self._selector.register(signals, selectors.EVENT_READ, self._on_signals)
        self._selector.register(self._settling, selectors.EVENT_READ, self._on_records)
        self._selector.register(lock, selectors.EVENT_READ, lock.check)

    def adopt(self, entry: QueuedTask, runner: Runner, running: Running) -> None:
        """Await an attempt that an earlier scheduler started."""
        entry.become(TaskState.RUNNING)
        occupied = OccupiedSlot(runner, None)
        occupied.begin(entry, running.nonce, self._clock())
        self._adopted.add(occupied)
        self._slots.reserve(1)
        self._watch(occupied)

    def await_foreign(self, entry: QueuedTask, running: Running) -> None:
        """Await an attempt on another host; it is pending here until its end can be judged."""
        self._foreign.add(entry, running)

    def judge(self, entry: QueuedTask, ended: Ended) -> None:
        """Judge an attempt that ended while no scheduler watched."""
        entry.become(TaskState.RUNNING)
        self._submit(entry, ended, _preempted(ended), self._clock())

    def put_back(self, entry: QueuedTask) -> None:
        """Make an entry pending again whose attempt has left nothing to judge."""
        self._settling.put_back(entry)

    def run(self) -> None:
        """Run until nothing is left to start, to await or to write. Raises NoGpuError and TakenOverError."""
        try:
            self._on_signals()  # what arrived before there was a loop
            while True:
                now = self._clock()
                self._look_abroad(now)
                self._allocate(now)
                if self._is_over():
                    return
                for key, _ in self._selector.select(self._timeout(now)):
                    key.data()
        finally:
            self._close()

    def _is_over(self) -> bool:
        busy = (
            len(self._settling)
            or self._adopted
            or any(occupied.entry for occupied in self._occupied_slots.values())
        )
        return not busy and (
            self.ending.mode is not Shutdown.RUN or not (len(self._backlog) or len(self._foreign))
        )

    def _timeout(self, now: float) -> float | None:
        times = [self._slots.next_step(now)]
        if self.ending.mode is Shutdown.RUN:
            times += [self._backlog.next_retry(now), self._foreign.next_look(now)]
        return min((each for each in times if each is not None), default=None)

    def _look_abroad(self, now: float) -> None:
        """Judge what has ended on other hosts, and run again what does not live there any more."""
        if self.ending.mode is not Shutdown.RUN:
            return
        for each in self._foreign.step(now):
            if each.ended is not None:
                self.judge(each.entry, each.ended)
                continue
            end_attempt(
                each.running.nonce
            )  # where its processes are to be seen from here, as a container's are
            self._observer.message(f"{each.entry.task.name}: {each.why}; it runs again")
            self.put_back(each.entry)

    def _allocate(self, now: float) -> None:
        running = self.ending.mode is Shutdown.RUN
        try:
            wanted = len(self._backlog) + len(self._settling) if running else 0
            self._slots.step(now, wanted, self._second_opinion.shunned(now) if running else ())
        except StorageError as error:  # a lease cannot be written
            self._storage_trouble(str(error))
            return
        for identity, occupied in list(self._occupied_slots.items()):
            slot = occupied.slot
            if slot is not None and occupied.entry is not None and (why := self._slots.trouble(slot)):
                occupied.stop(why)
            elif slot is not None and occupied.entry is None and not self._slots.holds(slot):
                del self._occupied_slots[identity]
                self._forget(occupied)
        if not running or self._settling.is_behind:
            return  # on a slow disk, failures must not run ahead of what counts them
        for slot in self._slots.ready():
            if not len(self._backlog):
                break
            self._start_on(slot, now)
        waiting = len(self._backlog)
        why = self._slots.why_none() if waiting else ""
        self._waiting.tell(self._settling.notes, why, waiting, self._slots.health.faulty(now))

    def _start_on(self, slot: Slot, now: float) -> None:
        occupied = self._occupied_slots.get(slot.id)
        last_pipe = occupied.last_pipe if occupied is not None else None
        away = self._second_opinion
        entry = self._backlog.pop(
            now, lambda each: slot.admits(each) and not away.keeps_away(each, slot.gpu, now), last_pipe
        )
        if entry is None:
            if not any(slot.admits(each) for each in self._backlog):
                self._slots.decline(slot, now)
            elif away.all_keep_away(slot.gpu, now):
                self._slots.decline(slot, now, "the tasks that wait failed there and try another GPU")
            return
        if not self._slots.confirm(slot, now):
            self._backlog.add(entry)
            return
        if entry.wants_room:
            entry.wants_room = False  # looked for once: the emptiest GPU may not be idle
            if self._slots.gives_way(slot, now):
                self._backlog.add(entry)
                return
        if occupied is None:
            try:
                runner = self._executor.open_runner(slot.lease)
            except OSError as error:
                self._backlog.add(entry)
                self._storage_trouble(f"no keeper can be started: {error.strerror}")
                return
            occupied = self._occupied_slots[slot.id] = OccupiedSlot(runner, slot)
            self._watch(occupied)
        self._lock.check()
        job = job_of(entry, slot, self._workdir, self._cwd[entry.task.config])
        entry.become(TaskState.RUNNING)
        entry.attempt = job.attempt
        self._settling.notes.pop(entry.task.name, None)
        self._slots.take(slot, now, None if entry.task.trials else job.nonce)
        self._slots.health.started(slot.gpu, now)
        occupied.begin(entry, job.nonce, now)
        occupied.runner.start(job)
        self._observer.started(entry.task, slot.gpu)

    def _submit(self, entry: QueuedTask, ended: Ended, excuse: str | None, now: float) -> None:
        doubt = self._second_opinion.doubt(entry, ended.running.gpu, now)
        self._settling.submit(entry, ended, excuse, doubt)

    def _watch(self, occupied: OccupiedSlot) -> None:
        self._selector.register(occupied.runner, selectors.EVENT_READ, lambda: self._on_runner(occupied))

    def _on_signals(self) -> None:
        for number in self._signals.read():
            if (text := self.ending.take(number)) is not None:
                self._observer.message(text)
        if self.ending.mode is Shutdown.STOP:
            for occupied in (*self._occupied_slots.values(), *self._adopted):
                occupied.stop(None)

    def _on_runner(self, occupied: OccupiedSlot) -> None:
        for event in occupied.runner.read():
            self._take_event(occupied, event)

    def _take_event(self, occupied: OccupiedSlot, event: Event) -> None:
        now = self._clock()
        if isinstance(event, RunnerGone):
            self._lose(occupied, now)
        elif isinstance(event, Ended):
            self._end(occupied, event, now)
        else:
            entry = occupied.finish(now)
            self._free(occupied, now)
            self._storage_trouble(event.message)
            if entry is not None:
                entry.become(TaskState.PENDING)

    def _end(self, occupied: OccupiedSlot, ended: Ended, now: float) -> None:
        excuse, stopped = occupied.excuse, occupied.stopping
        entry = occupied.finish(now)
        trouble = self._free(occupied, now)
        if entry is None:
            return
        if stopped and excuse is None and ended.exit.exit_code != 0:
            self.put_back(entry)
            return
        if ended.exit.exit_code == WorkerExit.STORAGE and entry.config.worker.kind == "traversal_search":
            self.put_back(entry)
            self._storage_trouble(f"{entry.task.name} could not write its results")
            return
        if ended.exit.exit_code == WorkerExit.GPU_TAKEN and entry.config.worker.kind == "traversal_search":
            entry.given_back += 1
            excuse = excuse or "another process on its GPU"
        if excuse is None and not stopped:
            excuse = _preempted(ended)
        self._submit(entry, ended, excuse or trouble, now)

    def _free(self, occupied: OccupiedSlot, now: float) -> str | None:
        if occupied.slot is None:
            self._adopted.discard(occupied)
            self._slots.reserve(-1)
            return None
        self._slots.health.ended(occupied.slot.gpu)
        return self._slots.free(occupied.slot, now)

    def _lose(self, occupied: OccupiedSlot, now: float) -> None:
        """Clean up after a keeper that is no more."""
        slot, nonce = occupied.slot, occupied.nonce
        if slot is not None:
            del self._occupied_slots[slot.id]
        self._forget(occupied)
        entry = occupied.finish(now)
        if entry is None:
            return
        left = end_attempt(nonce, [*orphans_of(entry.paths, nonce), *self._executor.strays()])
        self._free(occupied, now)
        if left:
            entry.become(TaskState.PENDING)
            self._observer.message(f"{entry.task.name}: cannot end what is left of it (pids {left}); not run")
            return
        self.put_back(entry)
        if self.ending.mode is Shutdown.STOP:
            return
        entry.not_before = now + entry.config.retry.backoff
        again, entry.tries = put_back(entry.tries)
        self._observer.message(f"{entry.task.name}: its keeper died; it runs again")
        if not again and self.ending.cut(Shutdown.DRAIN, "keepers die again and again", FAILED):
            self._observer.message(f"{self.ending.why}: no new tasks are started")

    def _on_records(self) -> None:
        self._settling.settle()
        self._forecast.tell(self._clock(), self._occupied_slots.values())

    def _storage_trouble(self, text: str) -> None:
        stop_for_storage(self.ending, self._observer, text)

    def _forget(self, occupied: OccupiedSlot) -> None:
        self._selector.unregister(occupied.runner)
        occupied.runner.close()

    def _close(self) -> None:
        """Close what is idle; a worker that still runs after an error here goes on with its keeper."""
        for occupied in self._occupied_slots.values():
            if occupied.entry is None:
                self._forget(occupied)
        self._slots.close()
        self._waiting.close()
        self._settling.close()
        self._selector.close()


def _preempted(ended: Ended) -> str | None:
    """Return the excuse of an attempt that something else than this loop asked to end."""
    return "its keeper was asked to end" if ended.exit.reason == "stopped" else None
