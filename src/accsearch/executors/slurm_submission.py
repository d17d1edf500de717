"""Submit jobs to Slurm so that a crash at any moment leaves none that is not recorded, or else is cancelled later."""

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from accsearch.checkpoint.markers import SUBMITTED, DamagedMarker, Running, read_running
from accsearch.errors import StorageError
from accsearch.executors.executor import Job
from accsearch.executors.local import message_of
from accsearch.executors.setup import Setup
from accsearch.executors.slurm_job import (
    HELD,
    SlurmError,
    check,
    clear,
    options,
    queue,
    release,
    script,
    submit,
    withdraw,
)
from accsearch.workdir import RUNNING, encode_json, write_group


class Submission:
    """What all jobs of a run have in common; `name` is theirs."""

    def __init__(self, setup: Setup, executor: str) -> None:
        """Raises UsageError where configurations contradict each other, SlurmError where Slurm would refuse a job."""
        cluster = setup.cluster
        self.name = job_name(setup.workdir.root)
        self._executor = executor
        self._workdir = setup.workdir
        self._threads = cluster.cpus_per_task
        self._gpus = setup.limits.model_dump() if setup.on_gpus else None
        self._options = options(cluster, self.name, setup.workdir.jobs, on_gpus=setup.on_gpus)
        self._script = script(cluster.setup, setup.workdir.jobs)
        check(self._options, self._script)

    def submit(self, jobs: Sequence[Job]) -> list[str]:
        """Submit an array: held, recorded, released, in this order; return the id of each job.

        Raises SlurmError or StorageError; nothing stays submitted then.
        """
        array = submit(self._options, self._script, len(jobs))
        ids = [f"{array}_{index}" for index in range(len(jobs))]
        try:
            self._record(
                array,
                [
                    replace(job, executor=self._executor, job_id=own)
                    for job, own in zip(jobs, ids, strict=True)
                ],
            )
            release([array])
        except (SlurmError, StorageError):
            with contextlib.suppress(SlurmError):  # it is held, and the next run finds it
                withdraw([array])
            raise
        return ids

    def tidy(self) -> None:
        """Cancel what an earlier run submitted and did not record (it is held); remove the files of jobs that are over.

        Raises SlurmError.
        """
        found = queue(self.name)
        recorded = set()
        for _, marker in self._workdir.marked(RUNNING):
            with contextlib.suppress(DamagedMarker, OSError):
                running = read_running(marker)
                recorded |= {running.job_id} if running is not None else set()
        held = {job for job, entry in found.items() if entry.reason == HELD and not entry.is_over} - recorded
        if held:
            withdraw(sorted(held))
        for file in self._workdir.jobs.glob("*/*.json"):
            if f"{file.parent.name}_{file.stem}" not in recorded:
                clear(file)

    def _record(self, array: str, jobs: Sequence[Job]) -> None:
        """Write what each job reads, and its marker. Raises StorageError."""
        folder = self._workdir.jobs / array
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"{folder}: {error.strerror}") from error
        files: list[tuple[Path, bytes]] = []
        for index, job in enumerate(jobs):
            message = message_of(job)
            content = {
                "job": message,
                "gpus": self._gpus,
                "threads": self._threads,
                "workdir": str(self._workdir.root),
            }
            files.append((folder / f"{index}.json", encode_json(content)))
            submitted = Running(
                **message["running"] | {"host": ""},
                pid=SUBMITTED,
                create_time=None,
                keeper_pid=SUBMITTED,
                keeper_create_time=None,
                started_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            )
            files.append((job.paths.running, encode_json(asdict(submitted))))
        write_group(files)


def job_name(root: Path) -> str:
    """Return the name of every job of a work directory, by which they are found in the queue."""
    return f"accsearch-{hashlib.sha256(str(root).encode()).hexdigest()[:8]}"
