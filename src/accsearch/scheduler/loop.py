"""The loop of a run: it starts jobs, and sleeps until a descriptor is readable or something is due."""

import selectors
import time
from collections.abc import Callable, Mapping

from accsearch.checkpoint.markers import Running
from accsearch.errors import StorageError
from accsearch.executors.executor import Ended, Executor, NoStorage, Returned, Runner, RunnerGone
from accsearch.executors.orphans import end_attempt
from accsearch.scheduler.backlog import Backlog
from accsearch.scheduler.choosing import choose
from accsearch.scheduler.ending import Shutdown, stop_for_storage
from accsearch.scheduler.forecast import Forecast
from accsearch.scheduler.foreign import ForeignAttempts
from accsearch.scheduler.interrupts import Signals
from accsearch.scheduler.jobs import job_of
from accsearch.scheduler.lock import Lock
from accsearch.scheduler.options import Observer
from accsearch.scheduler.runners import Runners
from accsearch.scheduler.second_opinion import SecondOpinion
from accsearch.scheduler.settling import Settling
from accsearch.scheduler.slots.occupied import OccupiedSlot
from accsearch.scheduler.slots.queued import QueuedTask
from accsearch.scheduler.slots.slot import Slot, Slots
from accsearch.scheduler.waiting import Waiting
from accsearch.task import TaskState, WorkerExit
from accsearch.workdir import WorkDir


class Loop:
    """Starts tasks of the backlog on free slots until none is left, or until a signal or a fault ends the run.

    Time passes only in `clock` and in `selector`, which waits for the descriptors registered with it.
    """

    def __init__(
        self,
        workdir: WorkDir,
        backlog: Backlog,
        slots: Slots,
        executor: Executor,
        signals: Signals,
        observer: Observer,
        settling: Settling,
        *,
        lock: Lock,
        foreign: ForeignAttempts,
        cwd: Mapping[str, str],
        clock: Callable[[], float] = time.monotonic,
        selector: selectors.BaseSelector | None = None,
    ) -> None:
        self._workdir = workdir
        self._backlog = backlog
        self._slots = slots
        self._executor = executor
        self._signals = signals
        self._observer = observer
        self._settling = settling
        self._ending = settling.ending
        self._lock = lock
        self._foreign = foreign
        self._cwd = cwd
        self._clock = clock
        self._second_opinion = SecondOpinion(slots, backlog)
        self._waiting = Waiting(workdir, observer)
        self._forecast = Forecast(backlog, slots, observer)
        self._is_drained = False
        self._selector = selector or selectors.DefaultSelector()
        self._runners = Runners(self._selector, self._on_runner)
        self._selector.register(signals, selectors.EVENT_READ, self._on_signals)
        self._selector.register(self._settling, selectors.EVENT_READ, self._on_records)
        self._selector.register(lock, selectors.EVENT_READ, lock.check)

    def adopt(self, queued: QueuedTask, runner: Runner, running: Running) -> None:
        """Await an attempt that an earlier scheduler started."""
        queued.become(TaskState.RUNNING)
        self._runners.adopt(runner).begin(queued, running.nonce, self._clock())
        self._slots.reserve(1)

    def await_foreign(self, queued: QueuedTask, running: Running) -> None:
        """Await an attempt on another host; it is pending here until its end can be judged."""
        self._foreign.add(queued, running)

    def judge(self, queued: QueuedTask, ended: Ended) -> None:
        """Judge an attempt that ended while no scheduler watched."""
        queued.become(TaskState.RUNNING)
        self._submit(queued, ended, _preempted(ended), self._clock())

    def put_back(self, queued: QueuedTask) -> None:
        """Make a task pending again whose attempt has left nothing to judge."""
        self._settling.put_back(queued)

    def run(self) -> None:
        """Run until nothing is left to start, to await or to write. Raises NoGpuError and TakenOverError."""
        try:
            self._on_signals()  # what arrived before there was a loop
            while not self.step(now := self._clock()):
                for key, _ in self._selector.select(self._timeout(now)):
                    key.data()
        finally:
            self._close()

    def step(self, now: float) -> bool:
        """Do what is due and start what can be started; return whether the run is over."""
        self._look_at_other_hosts(now)
        self._allocate(now)
        if self._ending.mode is not Shutdown.RUN and not self._is_drained:
            self._is_drained = True
            self._executor.drain()
        return self._is_over()

    def _is_over(self) -> bool:
        if len(self._settling) or self._runners.are_busy:
            return False
        return self._ending.mode is not Shutdown.RUN or not (len(self._backlog) or len(self._foreign))

    def _timeout(self, now: float) -> float | None:
        times = [self._slots.next_step(now)]
        if self._ending.mode is Shutdown.RUN:
            times += [self._backlog.next_retry(now), self._foreign.next_look(now)]
        return min((each for each in times if each is not None), default=None)

    def _look_at_other_hosts(self, now: float) -> None:
        """Judge what has ended on other hosts, and run again what does not live there any more."""
        if self._ending.mode is not Shutdown.RUN:
            return
        for each in self._foreign.step(now):
            if each.ended is not None:
                self.judge(each.queued, each.ended)
                continue
            end_attempt(each.running.nonce)  # a container's processes may be visible from here
            self._observer.message(f"{each.queued.task.name}: {each.why}; it runs again")
            self.put_back(each.queued)

    def _allocate(self, now: float) -> None:
        running = self._ending.mode is Shutdown.RUN
        try:
            wanted = len(self._backlog) + len(self._settling) if running else 0
            self._slots.step(now, wanted, self._second_opinion.shunned(now) if running else ())
        except StorageError as error:  # a lease cannot be written
            self._storage_trouble(str(error))
            return
        for occupied in list(self._runners.of_slots):
            slot = occupied.slot
            if slot is not None and occupied.queued is not None and (why := slot.trouble):
                occupied.stop(why)
            elif slot is not None and occupied.queued is None and not slot.held:
                self._runners.close(occupied)
        if not running or self._settling.is_behind:
            return  # on a slow disk, failures must not run ahead of what counts them
        for slot in self._slots.ready():
            if not len(self._backlog):
                break
            self._start_on(slot, now)
        waiting = len(self._backlog)
        why = self._slots.why_none() if waiting else ""
        self._waiting.report(self._settling.notes, why, waiting, self._slots.health.faulty(now))

    def _start_on(self, slot: Slot, now: float) -> None:
        occupied = self._runners.of(slot)
        last_pipe = occupied.last_pipe if occupied is not None else None
        queued = choose(slot, last_pipe, self._backlog, self._slots, self._second_opinion, now)
        if queued is None:
            return
        if occupied is None:
            try:
                runner = self._executor.open_runner(slot.lease)
            except OSError as error:
                self._backlog.add(queued)
                self._storage_trouble(f"no keeper can be started: {error.strerror}")
                return
            occupied = self._runners.open(runner, slot)
        self._lock.check()
        job = job_of(queued, slot, self._workdir, self._cwd[queued.task.config], self._executor.root_for)
        queued.become(TaskState.RUNNING)
        queued.attempt = job.attempt
        self._settling.notes.pop(queued.task.name, None)
        slot.take(now, None if queued.task.trials else job.nonce)
        self._slots.health.started(slot.gpu, now)
        occupied.begin(queued, job.nonce, now)
        occupied.runner.start(job)
        self._observer.started(queued.task, slot.gpu)

    def _submit(self, queued: QueuedTask, ended: Ended, excuse: str | None, now: float) -> None:
        doubt = self._second_opinion.doubt(queued, ended.running.gpu, now)
        self._settling.submit(queued, ended, excuse, doubt)

    def _on_signals(self) -> None:
        for number in self._signals.read():
            if (text := self._ending.take(number)) is not None:
                self._observer.message(text)
        if self._ending.mode is Shutdown.STOP:
            for occupied in self._runners:
                occupied.stop(None)

    def _on_runner(self, occupied: OccupiedSlot) -> None:
        for event in occupied.runner.read():
            now = self._clock()
            match event:
                case Ended():
                    self._end(occupied, event, now)
                case Returned():
                    self._take_back(occupied, event, now)
                case RunnerGone():
                    self._lose(occupied, event.why, now)
                case NoStorage():
                    queued = occupied.finish()
                    self._free(occupied, now)
                    self._storage_trouble(event.message)
                    if queued is not None:
                        queued.become(TaskState.PENDING)

    def _end(self, occupied: OccupiedSlot, ended: Ended, now: float) -> None:
        excuse, stopped = occupied.excuse, occupied.stopping
        queued = occupied.finish()
        trouble = self._free(occupied, now)
        if queued is None:
            return
        if stopped and excuse is None and ended.exit.exit_code != 0:
            self.put_back(queued)
            return
        if ended.exit.exit_code == WorkerExit.STORAGE and queued.config.worker.kind == "traversal_search":
            self.put_back(queued)
            self._storage_trouble(f"{queued.task.name} could not write its results")
            return
        if ended.exit.exit_code == WorkerExit.GPU_TAKEN and queued.config.worker.kind == "traversal_search":
            queued.given_back += 1
            excuse = excuse or "another process on its GPU"
        if excuse is None and not stopped:
            excuse = _preempted(ended)
        self._submit(queued, ended, excuse or trouble, now)

    def _take_back(self, occupied: OccupiedSlot, returned: Returned, now: float) -> None:
        """Put a task back that its executor could not run, or not to the end."""
        slot, stopped = occupied.slot, occupied.stopping
        queued = occupied.finish()
        self._free(occupied, now)
        if queued is None:
            return
        if not returned.started:
            queued.attempt -= 1  # it has left no log
            self.put_back(queued)
            self._settling.notes[queued.task.name] = f"its turn again, after {returned.why}"
            if slot is not None:
                slot.drop(now, returned.why)
        elif stopped:
            self.put_back(queued)
        else:
            self._settling.run_again(queued, returned.why, now)

    def _free(self, occupied: OccupiedSlot, now: float) -> str | None:
        if occupied.slot is None:
            self._runners.settle(occupied)
            self._slots.reserve(-1)
            return None
        self._slots.health.ended(occupied.slot.gpu)
        return occupied.slot.free(now)

    def _lose(self, occupied: OccupiedSlot, why: str, now: float) -> None:
        """Clean up after a runner that is no more."""
        nonce = occupied.nonce
        self._runners.close(occupied)
        queued = occupied.finish()
        if queued is None:
            return
        left = self._executor.clean_up(queued.paths, nonce)
        self._free(occupied, now)
        if left:
            queued.become(TaskState.PENDING)
            self._observer.message(
                f"{queued.task.name}: cannot end what is left of it (pids {left}); not run"
            )
            return
        self._settling.run_again(queued, why, now)

    def _on_records(self) -> None:
        self._settling.settle()
        self._forecast.update(self._clock(), self._runners.of_slots)

    def _storage_trouble(self, text: str) -> None:
        stop_for_storage(self._ending, self._observer, text)

    def _close(self) -> None:
        """Close what is idle; a worker that still runs after an error here goes on with its keeper."""
        self._runners.close_idle()
        self._slots.close()
        self._waiting.close()
        self._settling.close()
        self._selector.close()


def _preempted(ended: Ended) -> str | None:
    """Return the excuse of an attempt whose keeper ended it at somebody else's request, None for others."""
    return "its keeper was asked to end" if ended.exit.reason == "stopped" else None
