"""The rules of a run without GPUs: order, retries, the stop after alike failures, the ways to end, adoption."""

from signal import SIGINT, SIGTERM

from tests.scheduler.fake_executor import Attempt
from tests.scheduler.simulation import Simulation

from accsearch.errors import StorageError
from accsearch.scheduler.ending import FAILED, INTERRUPTED, TERMINATED
from accsearch.scheduler.policy import UNCOUNTED_LIMIT

ERROR = Attempt(seconds=1.0, exit_code=1, log="ValueError: no such file")
LATE_ERROR = Attempt(seconds=100.0, exit_code=1, log="ValueError: no such file")
OUT_OF_MEMORY = Attempt(seconds=1.0, exit_code=1, log="torch.OutOfMemoryError: CUDA out of memory")


def test_tasks_start_longest_first_by_what_they_took_before(simulation: Simulation) -> None:
    simulation.run("abc", known={"a": 5.0, "b": 20.0, "c": 10.0})

    assert simulation.order() == ["b", "c", "a"]
    assert simulation.states() == {"a": "done", "b": "done", "c": "done"}


def test_a_task_starts_as_soon_as_a_slot_is_free(simulation: Simulation) -> None:
    # Given two slots, and tasks of which the first takes as long as the two others
    simulation.attempts = {"a": [Attempt(30.0)], "b": [Attempt(10.0)], "c": [Attempt(20.0)]}

    simulation.run("abc", slots=2, known={"a": 30.0, "b": 20.0, "c": 10.0})

    assert simulation.starts() == [(0.0, "a"), (0.0, "b"), (10.0, "c")]


def test_what_finishes_teaches_the_order_of_the_rest(simulation: Simulation) -> None:
    # Given tasks that differ in a number, of which the two smallest are known at first
    simulation.plan = lambda job: Attempt(float(job.task.id))

    simulation.run(["1", "2", "40", "80"], known={"1": 1.0, "2": 2.0})

    assert simulation.order() == ["80", "40", "2", "1"]


def test_a_failed_task_is_tried_again_after_the_backoff(simulation: Simulation) -> None:
    simulation.attempts = {"a": [LATE_ERROR]}

    simulation.run("a", retry={"backoff": 7.0})

    assert simulation.starts() == [(0.0, "a"), (107.0, "a")]
    assert simulation.states() == {"a": "done"}
    assert [job.attempt for _, job in simulation.jobs] == [1, 2]
    # Then what it waits for is said meanwhile
    assert "its turn again, after error: ValueError: no such file" in simulation.reasons[-2].values()


def test_other_tasks_use_the_slot_during_the_backoff(simulation: Simulation) -> None:
    simulation.attempts = {"a": [LATE_ERROR]}

    simulation.run("ab", known={"a": 100.0, "b": 10.0}, retry={"backoff": 3.0})

    assert simulation.starts() == [(0.0, "a"), (100.0, "b"), (110.0, "a")]


def test_a_task_that_fails_as_often_as_it_may_has_failed(simulation: Simulation) -> None:
    simulation.attempts = {"a": [LATE_ERROR] * 9}

    simulation.run("ab", retry={"max_attempts": 3})

    assert simulation.order().count("a") == 3
    assert simulation.states() == {"a": "failed", "b": "done"}
    failed = simulation.queued["a"].failed
    assert failed is not None and (failed.counted, failed.message) == (3, "ValueError: no such file")


def test_a_wrong_configuration_is_not_tried_again(simulation: Simulation) -> None:
    simulation.attempts = {"a": [Attempt(exit_code=1, log="ModuleNotFoundError: No module named 'x'")]}

    simulation.run("a", retry={"max_attempts": 3})

    assert simulation.order() == ["a"]
    assert simulation.states() == {"a": "failed"}


def test_out_of_memory_halves_the_batch_and_uses_up_no_attempt_until_it_is_one(
    simulation: Simulation,
) -> None:
    simulation.attempts = {"a": [OUT_OF_MEMORY] * 9}

    simulation.run("a", batch_size=4, retry={"max_attempts": 2})

    # At batch 1 it counts as any other failure: two attempts
    assert [job.batch_size for _, job in simulation.jobs] == [4, 2, 1, 1]
    assert simulation.states() == {"a": "failed"}


def test_tasks_that_fail_alike_at_their_start_end_the_run(simulation: Simulation) -> None:
    # Given a broken set-up
    simulation.plan = lambda job: ERROR

    simulation.run(
        [f"t{number}" for number in range(6)],
        retry={"stop_after_identical": 3, "max_attempts": 2, "backoff": 60.0},
    )

    # Then the third is one too many, and a fourth has started before it is on disk
    assert simulation.order() == ["t0", "t1", "t2", "t3"]
    assert simulation.ending.exit_code == FAILED
    assert "3 tasks in a row failed alike" in (simulation.ending.why or "")


def test_a_success_in_between_or_a_late_failure_ends_no_run(simulation: Simulation) -> None:
    # Given alike failures: two, a success, two, a late one, two
    names = [f"t{number}" for number in range(8)]
    simulation.attempts = {name: [ERROR] for name in names} | {"t2": [], "t5": [LATE_ERROR]}

    simulation.run(names, retry={"stop_after_identical": 3, "backoff": 1000.0})

    assert simulation.ending.exit_code == 0
    assert set(simulation.states().values()) == {"done"}


def test_one_interrupt_lets_running_tasks_end_and_starts_no_other(simulation: Simulation) -> None:
    simulation.timeline.after(5.0, lambda: simulation.signal(SIGINT))

    simulation.run("abc", slots=2)

    assert simulation.states() == {"a": "done", "b": "done", "c": "pending"}
    assert simulation.ending.exit_code == INTERRUPTED
    assert simulation.messages == [
        "no new tasks are started, the running ones end; interrupt again to end them now"
    ]


def test_an_interrupted_run_does_not_wait_for_a_retry(simulation: Simulation) -> None:
    simulation.attempts = {"a": [LATE_ERROR]}
    simulation.timeline.after(101.0, lambda: simulation.signal(SIGINT))

    simulation.run("a", retry={"backoff": 3600.0})

    assert simulation.order() == ["a"]
    assert simulation.states() == {"a": "pending"}


def test_a_second_interrupt_ends_running_tasks_which_stay_pending(simulation: Simulation) -> None:
    for seconds in (5.0, 6.0):
        simulation.timeline.after(seconds, lambda: simulation.signal(SIGINT))

    simulation.run("ab", slots=1)

    assert simulation.states() == {"a": "pending", "b": "pending"}
    assert simulation.timeline.now == 1006.0
    # What was ended so is no failure
    assert simulation.verdicts == []
    assert not simulation.queued["a"].paths.failed.exists()


def test_termination_ends_running_tasks_at_once(simulation: Simulation) -> None:
    simulation.timeline.after(5.0, lambda: simulation.signal(SIGTERM))

    simulation.run("ab")

    assert simulation.states() == {"a": "pending", "b": "pending"}
    assert simulation.ending.exit_code == TERMINATED


def test_a_worker_that_somebody_else_ended_is_put_back_without_blame(simulation: Simulation) -> None:
    simulation.attempts = {"a": [Attempt(1.0, None, reason="stopped")]}

    simulation.run("a", retry={"max_attempts": 1})

    assert simulation.order() == ["a", "a"]
    assert simulation.states() == {"a": "done"}


def test_a_task_whose_keeper_died_runs_again_on_a_new_runner(simulation: Simulation) -> None:
    simulation.attempts = {"a": [Attempt(1.0, keeper_dies=True)]}

    simulation.run("a", retry={"max_attempts": 1, "backoff": 5.0})

    assert simulation.starts() == [(0.0, "a"), (6.0, "a")]
    assert simulation.states() == {"a": "done"}
    assert simulation.messages == ["c/a: its keeper died; it runs again"]


def test_keepers_that_die_again_and_again_end_the_run(simulation: Simulation) -> None:
    simulation.plan = lambda job: Attempt(1.0, keeper_dies=True)

    simulation.run("a", retry={"backoff": 0.0})

    assert len(simulation.jobs) == UNCOUNTED_LIMIT
    assert simulation.ending.why == "its keeper died, again and again"


def test_an_adopted_attempt_is_awaited_and_takes_a_slot(simulation: Simulation) -> None:
    # Given an attempt that an earlier scheduler started, and that lasts another ten seconds
    simulation.run("ab", slots=1, adopted="a")

    # Then the only slot is given out when it has ended, and it is not started anew
    assert simulation.starts() == [(10.0, "b")]
    assert simulation.states() == {"a": "done", "b": "done"}


def test_an_adopted_attempt_that_fails_is_tried_again(simulation: Simulation) -> None:
    simulation.attempts = {"a": [LATE_ERROR]}

    simulation.run("a", adopted="a", retry={"backoff": 5.0})

    assert simulation.starts() == [(105.0, "a")]
    assert simulation.jobs[0][1].attempt == 2
    assert simulation.states() == {"a": "done"}


def test_what_waits_for_a_slot_says_so_until_nothing_waits(simulation: Simulation) -> None:
    simulation.run("abc", slots=2)

    assert simulation.reasons == [{"*": "one of 2 slots"}, {}]
    assert not simulation.workdir.waiting.exists()


def test_a_runner_serves_one_task_after_the_other(simulation: Simulation) -> None:
    simulation.run("abcd", slots=2)

    assert simulation.executor.open_runners == 2


def test_a_work_directory_that_cannot_be_written_ends_the_run(simulation: Simulation) -> None:
    # Given a disk on which the marker of the first task cannot be written
    simulation.timeline.after(5.0, lambda: simulation.queued["a"].paths.done.mkdir())

    simulation.run("abc")

    # Then what had started meanwhile ends, and nothing more is started
    assert simulation.states() == {"a": "pending", "b": "done", "c": "pending"}
    assert simulation.ending.exit_code == StorageError.exit_code
