"""What becomes of a task whose attempt has ended: it is done, has failed, is tried again or put back."""

from collections.abc import Callable

from accsearch.checkpoint.markers import Done, Failed
from accsearch.errors import StorageError
from accsearch.executors.protocol import Ended
from accsearch.scheduler.backlog import Backlog
from accsearch.scheduler.ending import FAILED, Ending, Mode, stop_for_storage
from accsearch.scheduler.entry import Entry
from accsearch.scheduler.options import Observer
from accsearch.scheduler.order import Sample
from accsearch.scheduler.policy import Streak
from accsearch.scheduler.recorder import Recorded, Recorder, Unrecorded
from accsearch.task import FailureReason, TaskState
from accsearch.workdir import WorkDir, remove


class Settling:
    """Has ended attempts recorded, and settles their entries once that is on disk (`fileno` is readable).

    `notes` says what tasks (CONFIG/TASK) that are tried again wait for.
    """

    def __init__(
        self,
        workdir: WorkDir,
        backlog: Backlog,
        ending: Ending,
        observer: Observer,
        streak: Streak,
        clock: Callable[[], float],
        *,
        keep_stale: bool,
    ) -> None:
        self.notes: dict[str, str] = {}
        self._backlog = backlog
        self._ending = ending
        self._observer = observer
        self._streak = streak
        self._clock = clock
        self._keep_stale = keep_stale
        self._recorder = Recorder(workdir)
        self._recording: dict[str, bool] = {}  # task → whether its program failed

    def fileno(self) -> int:
        return self._recorder.fileno()

    def __len__(self) -> int:
        return len(self._recording)

    @property
    def is_behind(self) -> bool:
        """Whether so many failures are yet unrecorded that they may be the ones that stop the run."""
        return sum(self._recording.values()) >= self._streak.limit

    def submit(self, entry: Entry, ended: Ended, excuse: str | None) -> None:
        """Take an ended attempt; an `excuse` says why a failure would not be the task's fault."""
        self._recording[entry.task.name] = ended.exit.exit_code != 0
        self._recorder.submit(entry, ended, excuse)

    def put_back(self, entry: Entry) -> None:
        """Make an entry pending again whose attempt has left nothing to judge."""
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
        if not isinstance(verdict, Done) and outcome.excuse is None:
            self._count(entry, verdict)

    def _succeed(self, entry: Entry, done: Done) -> None:
        self._streak.success()
        self._backlog.learn(Sample(entry.task, done.seconds))
        if done.digest == entry.task.digest or self._keep_stale:
            entry.become(TaskState.DONE)
        else:
            entry.become(TaskState.PENDING)
            self.notes[entry.task.name] = "its turn: it ended under an earlier configuration"
            self._backlog.add(entry)

    def _count(self, entry: Entry, failed: Failed) -> None:
        text = failed.message.replace(entry.task.id, "{task}")
        if self._streak.failure(entry.task.name, failed.reason, text, failed.seconds or 0.0):
            why = f"{self._streak.limit} tasks in a row failed alike at their start ({failed.message})"
            if self._ending.cut(Mode.DRAIN, why, FAILED):
                self._observer.message(f"{why}: no new tasks are started")
