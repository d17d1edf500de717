"""A job of a cluster that starts more than once: one start alone runs the worker."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from accsearch.checkpoint.markers import SUBMITTED, Running, read_exit, read_running, write_running
from accsearch.executors.executor import Job
from accsearch.executors.local import message_of
from accsearch.task import Task
from accsearch.workdir import WorkDir

pytestmark = pytest.mark.process


class Submitted:
    """A job in a folder, as an executor leaves it: the worker notes each start."""

    def __init__(self, folder: Path, worker: str = "sleep 0.3") -> None:
        workdir = WorkDir(folder)
        workdir.create("c")
        self.paths = workdir.task("c", "a")
        self.history = folder / "history"
        script = f"echo started >> {self.history}; {worker}"
        job = Job(
            Task("a", "c", {}, "d"), 1, "mine", ["sh", "-c", script], {}, str(folder), self.paths,
            self.paths.log_of(0, frozenset()), None, None, None, None, 1.0, executor="slurm", job_id="12_3",
        )  # fmt: skip
        message: dict[str, Any] = message_of(job)
        self.file = folder / "3.json"
        content = {"job": message, "gpus": None, "threads": 1, "workdir": str(folder)}
        self.file.write_text(json.dumps(content))
        self.marker = Running(
            **message["running"] | {"host": ""}, pid=SUBMITTED, create_time=None, keeper_pid=SUBMITTED,
            keeper_create_time=None, started_at="2026-01-01T00:00:00.000+00:00",
        )  # fmt: skip
        write_running(self.paths.running, self.marker)

    def start(self) -> subprocess.Popen[str]:
        """Start the job as Slurm does."""
        line = [sys.executable, "-P", "-m", "accsearch.keeper.job", str(self.file)]
        return subprocess.Popen(line, env=dict(os.environ), stdout=subprocess.PIPE, text=True)


def test_of_two_starts_at_once_one_runs_the_worker(tmp_path: Path) -> None:
    job = Submitted(tmp_path)

    said = [start.communicate()[0] for start in [job.start() for _ in range(2)]]

    assert job.history.read_text() == "started\n"
    assert sum("an earlier start of this job has claimed the attempt" in text for text in said) == 1
    ended, running = read_exit(job.paths.exit), read_running(job.paths.running)
    assert ended is not None and running is not None
    assert (ended.exit_code, ended.nonce) == (0, "mine")
    assert (running.host, running.job_id) == (os.uname().nodename, "12_3")


def test_a_start_after_the_task_was_given_to_another_attempt_runs_nothing(tmp_path: Path) -> None:
    job = Submitted(tmp_path)
    write_running(job.paths.running, Running(**{**_fields(job.marker), "nonce": "another"}))

    with job.start() as start:
        assert "no longer this attempt's" in start.communicate()[0]

    assert not job.history.exists() and not job.paths.exit.exists()


def test_a_worker_that_ends_before_its_keeper_has_the_signal_for_both_was_stopped(tmp_path: Path) -> None:
    job = Submitted(tmp_path, "(sleep 0.2; kill -TERM $PPID) & kill -TERM $$")

    with job.start() as start:
        start.communicate()

    ended = read_exit(job.paths.exit)
    assert ended is not None and ended.reason == "stopped"


def test_a_worker_that_fails_by_itself_was_not(tmp_path: Path) -> None:
    job = Submitted(tmp_path, "exit 3")

    with job.start() as start:
        start.communicate()

    ended = read_exit(job.paths.exit)
    assert ended is not None and (ended.reason, ended.exit_code) == (None, 3)


def _fields(marker: Running) -> dict[str, Any]:
    return {name: getattr(marker, name) for name in Running.__dataclass_fields__}
