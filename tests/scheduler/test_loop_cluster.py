"""The rules of a run on a cluster: its capacity, and attempts that come back without having been run."""

from pathlib import Path
from signal import SIGINT, SIGTERM

import pytest
from tests.scheduler.fake_executor import Attempt
from tests.scheduler.simulation import Simulation

from accsearch.errors import UsageError
from accsearch.executors.executor import Returned
from accsearch.scheduler.ending import FAILED, TERMINATED
from accsearch.scheduler.options import RunOptions, Silent
from accsearch.scheduler.policy import UNCOUNTED_LIMIT
from accsearch.scheduler.run import run
from accsearch.workdir import WorkDir

BUSY = Attempt(seconds=1.0, returned=Returned("GPU 0 of node-1 is busy"))
PREEMPTED = Attempt(seconds=100.0, returned=Returned("preempted", started=True))
LOST = Attempt(seconds=50.0, keeper_dies=True, why_gone="node-1 was lost")


def test_as_many_tasks_run_at_once_as_the_cluster_says(simulation: Simulation) -> None:
    simulation.run("abc", nodes=2, known={"a": 3.0, "b": 2.0, "c": 1.0})

    assert simulation.starts() == [(0.0, "a"), (0.0, "b"), (10.0, "c")]
    assert simulation.executor.open_runners == 2


def test_a_task_that_was_not_started_costs_it_nothing(simulation: Simulation) -> None:
    # Given a cluster that sends a task back more often than faults of the infrastructure may happen
    simulation.attempts = {"a": [BUSY] * (UNCOUNTED_LIMIT + 5)}

    simulation.run("a", nodes=1, retry={"max_attempts": 1})

    # Then it is done in the end, as the first attempt: what was never started has no log and no number
    assert simulation.states() == {"a": "done"}
    assert {job.attempt for _, job in simulation.jobs} == {1}
    assert simulation.queued["a"].tries.uncounted == 0


def test_a_slot_that_sent_its_task_back_rests_longer_each_time_and_another_takes_the_task(
    simulation: Simulation,
) -> None:
    # Given two slots, the first of which finds its GPU busy three times
    left = [BUSY] * 3
    simulation.plan = lambda job: left.pop() if left else Attempt(10.0)

    simulation.run("a", nodes=1)
    assert [when for when, _ in simulation.starts()] == [0.0, 3.0, 8.0, 17.0]

    assert "one of 1 slots of fake (GPU 0 of node-1 is busy)" in {
        why for reasons in simulation.reasons for why in reasons.values()
    }


def test_another_slot_takes_what_one_sent_back(simulation: Simulation) -> None:
    simulation.attempts = {"a": [BUSY]}

    simulation.run("a", nodes=2)

    assert simulation.starts() == [(0.0, "a"), (1.0, "a")]


def test_a_preempted_task_runs_again_and_loses_no_attempt(simulation: Simulation) -> None:
    simulation.attempts = {"a": [PREEMPTED]}

    simulation.run("a", nodes=1, retry={"max_attempts": 1, "backoff": 5.0})

    assert simulation.starts() == [(0.0, "a"), (105.0, "a")]
    assert [job.attempt for _, job in simulation.jobs] == [1, 2]
    assert simulation.states() == {"a": "done"}
    assert "c/a: preempted; it runs again" in simulation.messages


def test_the_task_of_a_lost_node_runs_again_on_a_new_runner(simulation: Simulation) -> None:
    simulation.attempts = {"a": [LOST]}

    simulation.run("a", nodes=1, retry={"max_attempts": 1})

    assert simulation.states() == {"a": "done"}
    assert "c/a: node-1 was lost; it runs again" in simulation.messages
    assert simulation.executor.open_runners == 2


def test_a_task_that_is_lost_again_and_again_ends_the_run(simulation: Simulation) -> None:
    simulation.attempts = {"a": [PREEMPTED] * 99}

    simulation.run("a", nodes=1)

    assert simulation.order() == ["a"] * UNCOUNTED_LIMIT
    assert simulation.ending.exit_code == FAILED


def test_a_task_that_comes_back_from_a_run_that_was_terminated_stays_pending(simulation: Simulation) -> None:
    # Given a task whose executor sends it back when it is to stop
    simulation.attempts = {"a": [PREEMPTED]}
    simulation.timeline.after(99.0, lambda: simulation.signal(SIGTERM))

    simulation.run("a", nodes=1)

    assert simulation.states() == {"a": "pending"}
    assert simulation.ending.exit_code == TERMINATED


def test_an_adopted_task_takes_a_slot(simulation: Simulation) -> None:
    simulation.attempts = {"a": [Attempt(30.0)]}

    simulation.run("ab", nodes=1, adopted="a")

    assert simulation.starts() == [(30.0, "b")]


def test_what_has_not_started_is_given_back_when_a_run_is_cut_short(simulation: Simulation) -> None:
    simulation.attempts = {"a": [Attempt(100.0)]}
    simulation.timeline.after(10.0, lambda: simulation.signal(SIGINT))

    simulation.run("a", nodes=1)

    assert simulation.executor.is_drained


def test_nodes_that_join_get_tasks_soon(simulation: Simulation) -> None:
    # Given a cluster that has a second node after a while
    simulation.attempts = {name: [Attempt(60.0)] for name in "abc"}
    simulation.timeline.after(5.0, lambda: setattr(simulation.executor, "nodes", 2))

    simulation.run("abc", nodes=1, known={"a": 3.0, "b": 2.0, "c": 1.0})

    assert simulation.starts() == [(0.0, "a"), (10.0, "b"), (60.0, "c")]


def test_what_no_task_waits_for_is_given_back_to_the_cluster(simulation: Simulation) -> None:
    simulation.attempts = {"a": [Attempt(10.0)], "b": [Attempt(100.0)]}

    simulation.run("ab", nodes=2)

    # Then the slot of the first task is free for others long before the second ends
    assert [runner.closed_at for runner in simulation.executor.runners] == [1010.0, 1100.0]


@pytest.mark.parametrize("gpus", ["0", "0,1"])
def test_a_cluster_chooses_its_own_gpus(tmp_path: Path, gpus: str) -> None:
    with pytest.raises(UsageError, match="names GPUs of this machine"):
        run([], WorkDir(tmp_path), RunOptions(executor="ray", gpus=gpus), Silent())
