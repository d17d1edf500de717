"""How an attempt in Slurm stands, by its keeper's files and by what Slurm says; times are plain numbers."""

from dataclasses import replace
from pathlib import Path

import pytest

from accsearch.checkpoint.heartbeat import BEAT, SILENCE
from accsearch.checkpoint.markers import SUBMITTED, Exit, Running, write_exit, write_running
from accsearch.executors.executor import Ended, Returned
from accsearch.executors.slurm_attempt import SETTLED, SlurmAttempt
from accsearch.executors.slurm_job import QueueEntry, claim_of, output_of, returned_of
from accsearch.workdir import WorkDir, write_json

WHEN = "2026-01-01T00:00:00.000+00:00"
SUBMISSION = Running(
    task="a", pid=SUBMITTED, create_time=None, keeper_pid=SUBMITTED, keeper_create_time=None, host="", attempt=1,
    nonce="mine", started_at=WHEN, executor="slurm", job_id="12_3",
)  # fmt: skip
STARTED = replace(SUBMISSION, pid=7, keeper_pid=6, host="n1")
NODE_FAIL = QueueEntry("NODE_FAIL", "NodeDown", "n1")


class Attempt(SlurmAttempt):
    """An attempt in a folder of its test; `wait` lets time pass, with a look each second."""

    def __init__(self, folder: Path) -> None:
        workdir = WorkDir(folder)
        workdir.create("c")
        self.file = workdir.jobs / "12" / "3.json"
        self.file.parent.mkdir(parents=True)
        self.file.touch()
        self.now = 1000.0
        super().__init__("12_3", "mine", workdir.task("c", "a"), workdir.jobs)
        write_running(self.paths.running, SUBMISSION)

    def wait(self, seconds: float) -> Ended | Returned | None:
        end = self.now + seconds
        while self.now < end:
            self.now += 1.0
            if (event := self.look(self.now)) is not None:
                return event
        return None


@pytest.fixture
def attempt(tmp_path: Path) -> Attempt:
    return Attempt(tmp_path)


def test_what_waits_or_runs_is_awaited_for_ever(attempt: Attempt) -> None:
    attempt.hear(QueueEntry("PENDING", "Resources", ""), attempt.now)
    assert attempt.wait(10 * SILENCE) is None
    write_running(attempt.paths.running, STARTED)
    attempt.hear(QueueEntry("RUNNING", "None", "n1"), attempt.now)
    assert attempt.wait(10 * SILENCE) is None


def test_the_keepers_word_counts_whatever_slurm_says(attempt: Attempt) -> None:
    write_running(attempt.paths.running, STARTED)
    write_exit(attempt.paths.exit, Exit(attempt=1, nonce="mine", finished_at=WHEN, exit_code=0))
    attempt.hear(NODE_FAIL, attempt.now)

    ended = attempt.wait(1)

    assert isinstance(ended, Ended) and ended.exit.exit_code == 0


def test_a_job_that_could_not_run_its_task_says_why(attempt: Attempt) -> None:
    write_json(returned_of(attempt.file, "mine"), {"why": "n1: GPU 0 is busy"})

    assert attempt.wait(1) == Returned("n1: GPU 0 is busy")


def test_a_job_that_was_cancelled_in_the_queue_costs_nothing(attempt: Attempt) -> None:
    attempt.hear(QueueEntry("CANCELLED", "None", ""), attempt.now)

    assert attempt.wait(1) == Returned("job 12_3 was cancelled")


def test_a_node_that_slurm_has_lost_is_awaited_while_its_keeper_shows_that_it_lives(attempt: Attempt) -> None:
    write_running(attempt.paths.running, STARTED)
    attempt.hear(NODE_FAIL, attempt.now)
    for number in range(100):
        write_running(attempt.paths.running, replace(STARTED, beat=str(number)))
        assert attempt.wait(BEAT) is None

    # Once it is silent, as long as a host's would be
    assert attempt.wait(SILENCE - BEAT) is None
    assert attempt.wait(2 * BEAT) == Returned("job 12_3 has lost its node (n1)", started=True)


def test_a_job_that_slurm_has_ended_is_awaited_for_two_signs_of_life(attempt: Attempt) -> None:
    write_running(attempt.paths.running, STARTED)
    attempt.hear(QueueEntry("PREEMPTED", "None", "n1"), attempt.now)

    assert attempt.wait(SETTLED * BEAT) is None
    assert attempt.wait(BEAT) == Returned("job 12_3 was preempted (n1)", started=True)


def test_a_job_that_slurm_has_forgotten_is_given_up_after_a_silence(attempt: Attempt) -> None:
    attempt.hear(None, attempt.now)

    assert attempt.wait(SILENCE - 1) is None
    assert attempt.wait(2) == Returned("job 12_3 is not known to Slurm any more")


def test_a_job_that_fails_before_its_worker_counts_as_lost_and_says_what_it_printed(attempt: Attempt) -> None:
    output_of(attempt.file).write_text("bash: module: command not found\n")
    attempt.hear(QueueEntry("FAILED", "NonZeroExitCode", "n1"), attempt.now)

    why = "job 12_3 has ended (failed) (n1): bash: module: command not found"
    assert attempt.wait(SILENCE) == Returned(why, started=True)


def test_a_task_that_is_another_attempts_by_now_is_let_go(attempt: Attempt) -> None:
    write_running(attempt.paths.running, replace(STARTED, nonce="another"))
    attempt.hear(NODE_FAIL, attempt.now)

    assert attempt.wait(1) == Returned("job 12_3 was freed", started=True)


def test_nothing_is_left_of_a_job_that_is_over(attempt: Attempt) -> None:
    claim_of(attempt.file, "mine").touch()
    output_of(attempt.file).touch()

    attempt.clear()

    assert not attempt.file.parent.exists()
