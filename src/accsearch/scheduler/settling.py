"""What becomes of a task whose attempt has ended: it is done, has failed, is tried again or put back."""

import time
from collections.abc import Callable

from accsearch.checkpoint.markers import Done, Failed
from accsearch.errors import StorageError
from accsearch.executors.executor import Ended
from accsearch.scheduler.backlog import Backlog
from accsearch.scheduler.durations import Sample
from accsearch.scheduler.ending import FAILED, Ending, Shutdown, stop_for_storage
from accsearch.scheduler.marker_writer import MarkerWriter, Recorded, Unrecorded
from accsearch.scheduler.options import Observer
from accsearch.scheduler.policy import SHORT, Doubt, Streak, is_suspect, put_back, speaks_of_gpu
from accsearch.scheduler.slots.gpu_health import GpuHealth
from accsearch.scheduler.slots.queued import QueuedTask
from accsearch.task import FailureReason, TaskState
from accsearch.workdir import WorkDir, remove


class Settling:
    """Has ended attempts recorded, and settles their tasks once that is on disk (`fileno` is readable).

    `check` raises if the work directory is another run's by now: nothing is settled then. `ending` says how far the
    run is on its way to its end, `notes` what tasks (CONFIG/TASK) that are tried again wait for.
    """

    def __init__(
        self,
        workdir: WorkDir,
        backlog: Backlog,
        observer: Observer,
        streak: Streak,
        health: GpuHealth,
        check: Callable[[], None],
        *,
        keep_stale: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.ending = Ending()
        self.notes: dict[str, str] = {}
        self._backlog = backlog
        self._observer = observer
        self._streak = streak
        self._health = health
        self._clock = clock
        self._keep_stale = keep_stale
        self._check = check
        self._writer = MarkerWriter(workdir, check)
        self._recording: dict[str, bool] = {}  # task → whether its program failed

    def fileno(self) -> int:
        return self._writer.fileno()

    def __len__(self) -> int:
        return len(self._recording)

    @property
    def is_behind(self) -> bool:
        """Whether so many failures are yet unrecorded that they may be the ones that stop the run."""
        return sum(self._recording.values()) >= self._streak.limit

    def submit(self, queued: QueuedTask, ended: Ended, excuse: str | None, doubt: Doubt = Doubt.NONE) -> None:
        """Take an ended attempt; `excuse` and `doubt` say why a failure would not be held against the task."""
        self._recording[queued.task.name] = ended.exit.exit_code != 0
        self._writer.submit(queued, ended, excuse, doubt)

    def put_back(self, queued: QueuedTask) -> None:
        """Make a task pending again whose attempt has left nothing to judge."""
        self._check()
        if queued.state is TaskState.RUNNING:
            queued.become(TaskState.PENDING)
        try:
            remove(queued.paths.running)
            remove(queued.paths.exit)
        except StorageError as error:
            stop_for_storage(self.ending, self._observer, str(error))
        else:
            self._backlog.add(queued)

    def run_again(self, queued: QueuedTask, why: str, now: float) -> None:
        """Put a task back whose attempt was lost by no fault of its own, unless that happens again and again."""
        queued.not_before = now + queued.config.retry.backoff
        self.put_back(queued)
        if self.ending.mode is Shutdown.STOP:
            return
        again, queued.tries = put_back(queued.tries)
        self._observer.message(f"{queued.task.name}: {why}; it runs again")
        if not again and self.ending.cut(Shutdown.DRAIN, f"{why}, again and again", FAILED):
            self._observer.message(f"{self.ending.why}: no new tasks are started")

    def settle(self) -> None:
        """Settle the attempts that are on disk by now; never blocks."""
        for outcome in self._writer.read():
            del self._recording[outcome.queued.task.name]
            if isinstance(outcome, Unrecorded):
                outcome.queued.become(TaskState.PENDING)
                stop_for_storage(self.ending, self._observer, str(outcome.error))
            else:
                self._settle(outcome)

    def close(self) -> None:
        self._writer.close()

    def _settle(self, outcome: Recorded) -> None:
        queued, verdict = outcome.queued, outcome.verdict
        queued.tries = outcome.tries
        if isinstance(verdict, Done):
            self._succeed(queued, verdict)
        elif outcome.retry:
            queued.become(TaskState.PENDING)
            why = outcome.excuse or f"{verdict.reason}: {verdict.message}"
            self.notes[queued.task.name] = f"its turn again, after {why}"
            queued.not_before = self._clock() + queued.config.retry.backoff
            queued.wants_room = verdict.reason is FailureReason.OOM
            self._backlog.add(queued)
        else:
            queued.become(TaskState.FAILED)
            queued.failed = verdict
        self._observer.ended(queued.task, verdict)
        if isinstance(verdict, Done):
            self._health.succeeded(verdict.gpu, queued.task.name)
        elif not outcome.disturbed:
            self._weigh(queued, verdict, excused=outcome.excuse is not None)
            self._count(queued, verdict)

    def _succeed(self, queued: QueuedTask, done: Done) -> None:
        self._streak.success()
        self._backlog.learn(Sample(queued.task, done.seconds))
        if done.digest == queued.task.digest or self._keep_stale:
            queued.become(TaskState.DONE)
        else:
            queued.become(TaskState.PENDING)
            self.notes[queued.task.name] = "its turn: it ended under an earlier configuration"
            self._backlog.add(queued)

    def _weigh(self, queued: QueuedTask, failed: Failed, *, excused: bool) -> None:
        """Hold a failure against its GPU, unless the task has shown that it fails on others, too."""
        gpu, task = failed.gpu, queued.task.name
        if not is_suspect(failed):
            if (failed.seconds or 0.0) > SHORT:
                self._health.succeeded(gpu, None)
        elif not excused and queued.failed_on.keys() - {gpu}:
            self._health.forgive(task)
        else:
            self._health.failed(gpu, task, failed.message, speaks_of_gpu=speaks_of_gpu(failed))
        if gpu is not None and is_suspect(failed):
            queued.failed_on[gpu] = self._clock()

    def _count(self, queued: QueuedTask, failed: Failed) -> None:
        text = failed.message.replace(queued.task.id, "{task}").replace(failed.gpu or "{gpu}", "{gpu}")
        alike = self._streak.failure(queued.task.name, failed.reason, text, failed.seconds or 0.0, failed.gpu)
        if alike and not self._health.may_be_spared(self._streak.gpus, self._clock()):
            why = f"{self._streak.limit} tasks in a row failed alike at their start ({failed.message})"
            if self.ending.cut(Shutdown.DRAIN, why, FAILED):
                self._observer.message(f"{why}: no new tasks are started")
