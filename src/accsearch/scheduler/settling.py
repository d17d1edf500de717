"""What becomes of a task whose attempt has ended: it is done, has failed, is tried again or put back."""

from collections.abc import Callable

from accsearch.checkpoint.markers import Done, Failed
from accsearch.errors import StorageError
from accsearch.executors.executor import Ended
from accsearch.scheduler.backlog import Backlog
from accsearch.scheduler.durations import Sample
from accsearch.scheduler.ending import FAILED, Ending, Shutdown, stop_for_storage
from accsearch.scheduler.marker_writer import MarkerWriter, Recorded, Unrecorded
from accsearch.scheduler.options import Observer
from accsearch.scheduler.policy import SHORT, Doubt, Streak, is_suspect, speaks_of_gpu
from accsearch.scheduler.slots.gpu_health import GpuHealth
from accsearch.scheduler.slots.queued import QueuedTask
from accsearch.task import FailureReason, TaskState
from accsearch.workdir import WorkDir, remove


class Settling:
    """Has ended attempts recorded, and settles their entries once that is on disk (`fileno` is readable).

    `check` raises if the work directory is another run's by now: nothing is settled then.

    `notes` says what tasks (CONFIG/TASK) that are tried again wait for.
    """

    def __init__(
        self,
        workdir: WorkDir,
        backlog: Backlog,
        ending: Ending,
        observer: Observer,
        streak: Streak,
        health: GpuHealth,
        clock: Callable[[], float],
        check: Callable[[], None],
        *,
        keep_stale: bool,
    ) -> None:
        self.notes: dict[str, str] = {}
        self._backlog = backlog
        self._ending = ending
        self._observer = observer
        self._streak = streak
        self._health = health
        self._clock = clock
        self._keep_stale = keep_stale
        self._check = check
        self._recorder = MarkerWriter(workdir, check)
        self._recording: dict[str, bool] = {}  # task → whether its program failed

    def fileno(self) -> int:
        return self._recorder.fileno()

    def __len__(self) -> int:
        return len(self._recording)

    @property
    def is_behind(self) -> bool:
        """Whether so many failures are yet unrecorded that they may be the ones that stop the run."""
        return sum(self._recording.values()) >= self._streak.limit

    def submit(self, entry: QueuedTask, ended: Ended, excuse: str | None, doubt: Doubt = Doubt.NONE) -> None:
        """Take an ended attempt; `excuse` and `doubt` say why a failure would not be held against the task."""
        self._recording[entry.task.name] = ended.exit.exit_code != 0
        self._recorder.submit(entry, ended, excuse, doubt)

    def put_back(self, entry: QueuedTask) -> None:
        """Make an entry pending again whose attempt has left nothing to judge."""
        self._check()
        if entry.state is TaskState.RUNNING:
            entry.become(TaskState.PENDING)
        try:
            remove(entry.paths.running)
            remove(entry.paths.exit)
        except StorageError as error:
            stop_for_storage(self._ending, self._observer, str(error))
        else:
            self._backlog.add(entry)

    def settle(self) -> None:
        """Settle the attempts that are on disk by now; never blocks."""
        for outcome in self._recorder.read():
            del self._recording[outcome.entry.task.name]
            if isinstance(outcome, Unrecorded):
                outcome.entry.become(TaskState.PENDING)
                stop_for_storage(self._ending, self._observer, str(outcome.error))
            else:
                self._settle(outcome)

    def close(self) -> None:
        self._recorder.close()

    def _settle(self, outcome: Recorded) -> None:
        entry, verdict = outcome.entry, outcome.verdict
        entry.tries = outcome.tries
        if isinstance(verdict, Done):
            self._succeed(entry, verdict)
        elif outcome.retry:
            entry.become(TaskState.PENDING)
            why = outcome.excuse or f"{verdict.reason}: {verdict.message}"
            self.notes[entry.task.name] = f"its turn again, after {why}"
            entry.not_before = self._clock() + entry.config.retry.backoff
            entry.wants_room = verdict.reason is FailureReason.OOM
            self._backlog.add(entry)
        else:
            entry.become(TaskState.FAILED)
            entry.failed = verdict
        self._observer.ended(entry.task, verdict)
        if isinstance(verdict, Done):
            self._health.succeeded(verdict.gpu, entry.task.name)
        elif not outcome.disturbed:
            self._weigh(entry, verdict, excused=outcome.excuse is not None)
            self._count(entry, verdict)

    def _succeed(self, entry: QueuedTask, done: Done) -> None:
        self._streak.success()
        self._backlog.learn(Sample(entry.task, done.seconds))
        if done.digest == entry.task.digest or self._keep_stale:
            entry.become(TaskState.DONE)
        else:
            entry.become(TaskState.PENDING)
            self.notes[entry.task.name] = "its turn: it ended under an earlier configuration"
            self._backlog.add(entry)

    def _weigh(self, entry: QueuedTask, failed: Failed, *, excused: bool) -> None:
        """Hold a failure against its GPU, unless the task has shown that it fails on others, too."""
        gpu, task = failed.gpu, entry.task.name
        if not is_suspect(failed):
            if (failed.seconds or 0.0) > SHORT:
                self._health.succeeded(gpu, None)
        elif not excused and entry.failed_on.keys() - {gpu}:
            self._health.forgive(task)
        else:
            self._health.failed(gpu, task, failed.message, speaks_of_gpu=speaks_of_gpu(failed))
        if gpu is not None and is_suspect(failed):
            entry.failed_on[gpu] = self._clock()

    def _count(self, entry: QueuedTask, failed: Failed) -> None:
        text = failed.message.replace(entry.task.id, "{task}").replace(failed.gpu or "{gpu}", "{gpu}")
        alike = self._streak.failure(entry.task.name, failed.reason, text, failed.seconds or 0.0, failed.gpu)
        if alike and not self._health.may_be_spared(self._streak.gpus, self._clock()):
            why = f"{self._streak.limit} tasks in a row failed alike at their start ({failed.message})"
            if self._ending.cut(Shutdown.DRAIN, why, FAILED):
                self._observer.message(f"{why}: no new tasks are started")
