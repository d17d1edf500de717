"""Run tasks as jobs of Slurm: an element of a job array for each attempt, followed by the keepers' files and `squeue`.

A job starts the attempt's keeper on its node (keeper/job.py). The keeper's `T.running` and `T.exit` on the shared work
directory say how the attempt stands, as they do on one machine. What Slurm says only decides how long to wait for them:
no accounting database is needed.

- **Nothing is submitted twice.** A submission is held; only once its job ids are in the markers is it released. A
  restarted run takes up what has a marker, by its job id, and cancels what is held without one.
- **Nothing counts twice.** An attempt is known by its nonce. Jobs are submitted with `--no-requeue`; should one be
  started twice all the same, only the start that claims the attempt runs its worker (keeper/job.py).
- **Never two writers on one file.** A job of which Slurm says that it is over, and whose keeper has left no word, is
  given up after a time without a sign of life in its marker, log and results: SILENCE seconds where Slurm has lost
  sight of the node, since the job may go on there. It is awaited as long as it gives one. A keeper that was silent that
  long and goes on finds that the task is another attempt's, ends its worker and writes nothing more.

A job near its time limit, one that is preempted and one that is cancelled get SIGTERM: the keeper ends the worker, and
the task goes on in another job at the first trial that has no result.
"""

import contextlib
import math
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from accsearch.checkpoint.markers import SUBMITTED, Running
from accsearch.errors import StorageError, UsageError
from accsearch.executors.executor import Ended, Job, NoStorage, Returned, Runner
from accsearch.executors.local import read_end
from accsearch.executors.setup import Setup
from accsearch.executors.slurm_attempt import SlurmAttempt
from accsearch.executors.slurm_job import HELD, QueueEntry, SlurmError, queue, release, terminate, withdraw
from accsearch.executors.slurm_runner import SlurmRunner
from accsearch.executors.slurm_submission import Submission
from accsearch.process_identity import process_create_time
from accsearch.workdir import TaskPaths, remove, write_json

NAME = "slurm"
COLLECT = 0.1
"""Seconds for which jobs are collected into one array."""
LARGEST = 500
"""Jobs of an array at most; Slurm's own default limit (MaxArraySize) is 1001."""
FILES, FILES_EACH = 1.0, 0.01
"""Least seconds between two looks at the keepers' files, and more for each job, to spare the file server."""
QUEUE = 20.0
"""Seconds between two questions to Slurm, whose controller serves everybody."""
REST_FIRST, REST_LONGEST = 2.0, 60.0
"""Seconds without a submission after a job could not run its task, doubling each time until one could."""


class SlurmExecutor:
    """A cluster with Slurm, whose nodes share the work directory with this machine."""

    name = NAME

    def __init__(self, setup: Setup) -> None:
        most = setup.cluster.max_jobs
        self._most = min(most, setup.most or most)
        self._workdir = setup.workdir
        self._say = setup.say
        try:
            self._submission = Submission(setup, NAME)
            self._submission.tidy()
        except SlurmError as error:
            raise UsageError(f"--executor {NAME}: {error}") from error
        self._waiting: dict[SlurmRunner, Job] = {}
        self._attempts: dict[SlurmRunner, SlurmAttempt] = {}
        self._to_end: set[SlurmRunner] = set()
        self._held: set[str] = set()
        self._asked_at = -math.inf
        self._is_draining = False
        self._is_drained = False
        self._is_hurried = False
        self._trouble = ""
        self._rest = REST_FIRST
        self._rests_until = -math.inf
        self._noted: dict[str, str] = {}
        self._mutex = threading.Lock()
        self._wake = threading.Event()
        self._is_closed = False
        self._crash: Exception | None = None
        self._thread = threading.Thread(target=self._work, name=NAME, daemon=True)
        self._thread.start()

    def capacity(self) -> int:
        return self._most

    def root_for(self, workdir: Path, nonce: str) -> Path:
        return workdir

    def open_runner(self, lease: int | None) -> SlurmRunner:
        return SlurmRunner(self)

    def adopt(self, running: Running, paths: TaskPaths) -> Runner | Ended | None:
        if (ended := read_end(paths, running.nonce)) is not None:
            return ended
        if running.job_id is None:
            return None
        runner = SlurmRunner(self, adopted=True)
        attempt = SlurmAttempt(running.job_id, running.nonce, paths, self._workdir.jobs)
        with self._mutex:
            self._attempts[runner] = attempt
            if running.pid == SUBMITTED:
                self._held.add(running.job_id)
        self._wake.set()
        return runner

    def clean_up(self, paths: TaskPaths, nonce: str) -> list[int]:
        return []

    def drain(self) -> None:
        self._is_draining = True
        self._wake.set()

    def close(self) -> None:
        self._is_closed = True
        self._wake.set()
        self._thread.join()

    def add(self, runner: SlurmRunner, job: Job) -> None:
        """Submit a job soon, together with others."""
        with self._mutex:
            self._waiting[runner] = job
        self._wake.set()

    def end(self, runner: SlurmRunner) -> None:
        """Cancel the job of a runner; one that has started is ended by its keeper."""
        with self._mutex:
            self._to_end.add(runner)
        self._wake.set()

    def forget(self, runner: SlurmRunner) -> None:
        """Follow the job of a runner no more."""
        with self._mutex:
            self._attempts.pop(runner, None)

    def check(self) -> None:
        """Raise what has ended the thread."""
        if self._crash is not None:
            raise self._crash

    def _work(self) -> None:
        try:
            while not self._is_closed:
                self._wake.wait(self._pace() if self._attempts or self._waiting else None)
                self._wake.clear()
                self._end_some()
                self._submit_waiting()
                self._ask(time.monotonic())
                self._look(time.monotonic())
            self._note_pending({})
        except Exception as error:  # noqa: BLE001 - a thread's outermost frame: the loop must learn of it
            self._crash = error
            for runner in (*self._waiting, *self._attempts):
                runner.wake()

    def _pace(self) -> float:
        return max(FILES, FILES_EACH * len(self._attempts))

    def _submit_waiting(self) -> None:
        if not self._waiting or time.monotonic() < self._rests_until:
            return
        time.sleep(COLLECT)
        with self._mutex:
            waiting, self._waiting = list(self._waiting.items()), {}
        for begin in range(0, len(waiting), LARGEST):
            self._submit(waiting[begin : begin + LARGEST])

    def _submit(self, jobs: Sequence[tuple[SlurmRunner, Job]]) -> None:
        try:
            ids = self._submission.submit([job for _, job in jobs])
        except (SlurmError, StorageError) as error:
            event = NoStorage(str(error)) if isinstance(error, StorageError) else Returned(str(error))
            self._pause(str(error))
            for runner, _ in jobs:
                runner.report(event)
            return
        with self._mutex:
            for (runner, job), own in zip(jobs, ids, strict=True):
                self._attempts[runner] = SlurmAttempt(own, job.nonce, job.paths, self._workdir.jobs)

    def _end_some(self) -> None:
        with self._mutex:
            asked, self._to_end = self._to_end, set()
            if self._is_draining:
                asked |= self._waiting.keys()
            unsubmitted = [runner for runner in asked if self._waiting.pop(runner, None) is not None]
            jobs = [self._attempts[runner].job_id for runner in asked if runner in self._attempts]
            everything = [each.job_id for each in self._attempts.values()]
        if self._is_draining and not self._is_drained:
            self._is_hurried = True
            self._is_drained = self._call(withdraw, everything)  # those that have started go on
        for runner in unsubmitted:
            runner.report(Returned("it was not submitted yet"))
        if jobs:
            self._is_hurried = True
            # Whichever it is by then; a job that has started is not cancelled but ended by its keeper.
            if not (self._call(withdraw, jobs) and self._call(terminate, jobs)):
                with self._mutex:
                    self._to_end |= asked - set(unsubmitted)

    def _ask(self, now: float) -> None:
        """Ask Slurm for the state of every job, if it is time to."""
        with self._mutex:
            attempts = list(self._attempts.values())
            submitted = set(self._held)
        if not attempts or now - self._asked_at < (FILES if self._is_hurried else QUEUE):
            return
        self._asked_at = now
        try:
            entries = queue(self._submission.name)
        except SlurmError as error:
            self._complain(str(error))
            return
        for attempt in attempts:
            attempt.hear(entries.get(attempt.job_id), now)
        # An earlier run may have been killed before it could release them.
        held = [job for job in submitted if job in entries and entries[job].reason == HELD]
        if self._call(release, held):
            with self._mutex:
                self._held -= submitted
        self._note_pending(
            {
                each.job_id: entries[each.job_id].reason
                for each in attempts
                if _waits(entries.get(each.job_id))
            }
        )

    def _look(self, now: float) -> None:
        """Report the attempts that have ended."""
        with self._mutex:
            attempts = list(self._attempts.items())
        for folder in {each.paths.exit.parent for _, each in attempts}:
            with contextlib.suppress(OSError):
                # NFS: opened anew, a folder shows the files that it did not have.
                os.close(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        for runner, attempt in attempts:
            if (event := attempt.look(now)) is None:
                continue
            with self._mutex:
                if self._attempts.pop(runner, None) is None:
                    continue
            attempt.clear()
            if isinstance(event, Ended):
                self._rest = REST_FIRST
            elif not event.started and not self._is_hurried:
                self._pause(event.why)
            runner.report(event)

    def _note_pending(self, reasons: dict[str, str]) -> None:
        """Write why jobs wait, for `status`."""
        if reasons == self._noted:
            return
        self._noted = reasons
        with contextlib.suppress(StorageError):  # only for show
            if reasons:
                me = {"pid": os.getpid(), "create_time": process_create_time(os.getpid())}
                write_json(self._workdir.queue, me | {"jobs": reasons}, durable=False)
            else:
                remove(self._workdir.queue)

    def _call(self, command: Callable[[Sequence[str]], None], jobs: Sequence[str]) -> bool:
        """Run a command of Slurm on jobs, if there are any; return whether that went well."""
        try:
            if jobs:
                command(jobs)
        except SlurmError as error:
            self._complain(str(error))
            return False
        return True

    def _pause(self, why: str) -> None:
        """Submit nothing for a while: what has just failed would fail again at once."""
        self._complain(why)
        now = time.monotonic()
        if now >= self._rests_until:
            self._rests_until = now + self._rest
            self._rest = min(2 * self._rest, REST_LONGEST)

    def _complain(self, text: str) -> None:
        """Say what is wrong, if that is news."""
        if text != self._trouble:
            self._trouble = text
            self._say(f"{NAME}: {text}")


def _waits(entry: QueueEntry | None) -> bool:
    return entry is not None and entry.state == "PENDING" and entry.reason != "None"
