"""The rules of a run on GPUs: which one a task gets, gives back or avoids, and when one is quarantined."""

from tests.scheduler.fake_executor import Attempt
from tests.scheduler.simulation import GIB, Simulation, busy, idle

from accsearch.gpus.device import Reading
from accsearch.gpus.lease import Lease, acquire
from accsearch.scheduler.jobs import TOLERATED
from accsearch.scheduler.slots.gpu_health import QUARANTINE_FIRST
from accsearch.scheduler.slots.gpu_slot import RETRY
from accsearch.task import WorkerExit

SEARCH = {
    "grid": {"pipe": ["SD1.5"], "sched": ["DDIM"], "steps": [20]},
    "methods": {"tgate": {"gate_step": [10]}},
    "worker": {},
}
CRASH = Attempt(seconds=1.0, exit_code=1, log="RuntimeError: CUDA error: unspecified launch failure")
ERROR = Attempt(seconds=1.0, exit_code=1, log="KeyError: 'x'")
OUT_OF_MEMORY = Attempt(seconds=1.0, exit_code=1, log="torch.OutOfMemoryError: CUDA out of memory")


def test_each_idle_gpu_gets_a_task_the_one_with_most_memory_first(simulation: Simulation) -> None:
    simulation.gpus = {"GPU-a": idle(24), "GPU-b": idle(80)}

    simulation.run("ab", known={"a": 100.0, "b": 10.0})

    assert simulation.gpus_of("a") == ["GPU-b"]
    assert simulation.gpus_of("b") == ["GPU-a"]
    assert simulation.jobs[0][1].env["CUDA_VISIBLE_DEVICES"] == "GPU-b"


def test_a_busy_gpu_is_waited_for_and_the_reason_is_said(simulation: Simulation) -> None:
    simulation.gpus = {"GPU-a": busy(80)}
    simulation.timeline.after(9.0, lambda: simulation.gpus.update({"GPU-a": idle(80)}))

    simulation.run("a")

    assert simulation.order() == ["a"]
    assert 9.0 <= simulation.starts()[0][0] <= 9.0 + RETRY
    assert simulation.reasons[0] == {"*": "a GPU (GPU 0: utilisation 99 %)"}


def test_a_task_that_failed_on_a_gpu_is_tried_on_another_which_decides(simulation: Simulation) -> None:
    # Given a GPU that fails its task in a way that may be the task's
    simulation.gpus = {"GPU-bad": idle(80), "GPU-good": idle(40)}
    simulation.plan = lambda job: CRASH if job.gpu == "GPU-bad" else Attempt()

    simulation.run("a", retry={"max_attempts": 1})

    # Then the attempt is not held against the task
    assert simulation.gpus_of("a") == ["GPU-bad", "GPU-good"]
    assert simulation.states() == {"a": "done"}


def test_a_task_waits_for_another_gpu_while_others_use_the_one_that_failed_it(simulation: Simulation) -> None:
    # Given a task that crashes on one GPU alone, and other tasks that keep both at work
    simulation.gpus = {"GPU-a": idle(80), "GPU-b": idle(40)}
    simulation.attempts = {"t0": [CRASH], "t1": [Attempt(20.0)]}

    simulation.run(["t0", "t1", "t2", "t3"], known={"t0": 100.0, "t1": 90.0, "t2": 80.0, "t3": 70.0})

    assert simulation.starts() == [(0.0, "t0"), (0.0, "t1"), (1.0, "t2"), (11.0, "t3"), (20.0, "t0")]
    assert simulation.gpus_of("t0") == ["GPU-a", "GPU-b"]


def test_a_task_that_fails_on_a_healthy_gpu_is_at_fault(simulation: Simulation) -> None:
    simulation.gpus = {"GPU-a": idle(80), "GPU-b": idle(40)}
    simulation.plan = lambda job: ERROR if job.task.id == "a" else Attempt()

    simulation.run("abc", retry={"max_attempts": 1})

    assert simulation.states() == {"a": "failed", "b": "done", "c": "done"}
    assert not any("quarantined" in text for text in simulation.messages)


def test_a_gpu_that_keeps_failing_tasks_is_quarantined_and_costs_none(simulation: Simulation) -> None:
    simulation.gpus = {"GPU-bad": idle(80), "GPU-good": idle(40)}
    simulation.plan = lambda job: CRASH if job.gpu == "GPU-bad" else Attempt()

    simulation.run("abcdefgh", retry={"max_attempts": 1})

    assert set(simulation.states().values()) == {"done"}
    # Then the third failure is one too many, and a fourth task has started before it is on disk
    assert sum(job.gpu == "GPU-bad" for _, job in simulation.jobs) == 4
    assert [text[:18] for text in simulation.messages if "GPU 0" in text] == ["GPU 0: quarantined"]


def test_a_quarantined_gpu_is_tried_again_with_one_task(simulation: Simulation) -> None:
    # Given a GPU that is repaired while it is quarantined, and work for longer than that
    simulation.gpus = {"GPU-bad": idle(80), "GPU-good": idle(40)}
    is_bad = [True]
    simulation.timeline.after(QUARANTINE_FIRST / 2, is_bad.clear)
    simulation.plan = lambda job: CRASH if job.gpu == "GPU-bad" and is_bad else Attempt(100.0)

    simulation.run([str(number) for number in range(14)])

    on_bad = [when for when, job in simulation.jobs if job.gpu == "GPU-bad"]
    assert max(on_bad[:4]) < 10.0
    assert min(on_bad[4:]) >= QUARANTINE_FIRST
    assert "GPU 0: tried again" in simulation.messages


def test_what_fails_on_every_gpu_ends_the_run(simulation: Simulation) -> None:
    simulation.gpus = {"GPU-a": idle(80), "GPU-b": idle(40)}
    simulation.plan = lambda job: CRASH

    simulation.run([str(number) for number in range(40)], retry={"stop_after_identical": 3})

    assert "failed alike" in (simulation.ending.why or "")
    assert list(simulation.states().values()).count("pending") >= 30


def test_a_task_that_ran_out_of_memory_moves_to_an_emptier_gpu(simulation: Simulation) -> None:
    # Given a small GPU, and a large one that is idle only later
    simulation.gpus = {"GPU-small": idle(24), "GPU-large": busy(80)}
    simulation.timeline.after(0.5, lambda: simulation.gpus.update({"GPU-large": idle(80)}))
    simulation.attempts = {"a": [OUT_OF_MEMORY]}

    simulation.run("a", batch_size=8)

    assert simulation.gpus_of("a") == ["GPU-small", "GPU-large"]
    assert [job.batch_size for _, job in simulation.jobs] == [8, 4]


def test_a_gpu_that_is_lost_at_work_is_given_up_and_its_task_runs_elsewhere(simulation: Simulation) -> None:
    simulation.gpus = {"GPU-a": idle(80), "GPU-b": idle(40)}
    simulation.plan = lambda job: Attempt(10_000.0) if job.gpu == "GPU-a" else Attempt()
    simulation.timeline.after(30.0, lambda: simulation.gpus.update({"GPU-a": None}))

    simulation.run("a", retry={"max_attempts": 1})

    assert simulation.gpus_of("a") == ["GPU-a", "GPU-b"]
    assert simulation.states() == {"a": "done"}
    assert "GPU 0: quarantined: lost: GPU is lost" in simulation.messages


def test_a_gpu_taken_by_another_process_before_the_start_is_left_to_it(simulation: Simulation) -> None:
    # Given a GPU on which another process appears while it runs our first task
    simulation.gpus = {"GPU-a": idle(80)}
    simulation.timeline.after(5.0, lambda: simulation.gpus.update({"GPU-a": idle(8)}))
    simulation.timeline.after(50.0, lambda: simulation.gpus.update({"GPU-a": idle(80)}))

    simulation.run("ab")

    assert simulation.order() == ["a", "b"]
    assert 50.0 <= simulation.starts()[1][0] <= 50.0 + RETRY


def test_an_idle_gpu_is_looked_at_once_more_before_a_start(simulation: Simulation) -> None:
    # Given a GPU kept ready for a retry, and another process that takes it meanwhile and leaves it later
    simulation.gpus = {"GPU-a": idle(80)}
    simulation.attempts = {"a": [ERROR]}
    taken = Reading(0, 20 * GIB, 60 * GIB, 80 * GIB)
    simulation.timeline.after(20.0, lambda: simulation.gpus.update({"GPU-a": taken}))
    simulation.timeline.after(50.0, lambda: simulation.gpus.update({"GPU-a": idle(80)}))

    simulation.run("a", retry={"backoff": 30.0})

    assert 50.0 <= simulation.starts()[1][0] <= 50.0 + RETRY
    assert any("before a task could start; the task goes back" in text for text in simulation.messages)


def test_a_gpu_is_given_back_as_soon_as_no_task_wants_it(simulation: Simulation) -> None:
    # Given two tasks of which one is done long before the other
    simulation.gpus = {"GPU-a": idle(80), "GPU-b": idle(40)}
    simulation.attempts = {"a": [Attempt(100.0)], "b": [Attempt(10.0)]}
    leases: list[Lease | None] = []
    simulation.timeline.after(5.0, lambda: leases.append(acquire("GPU-b")))
    simulation.timeline.after(15.0, lambda: leases.append(acquire("GPU-b")))

    simulation.run("ab", known={"a": 100.0, "b": 10.0})

    early, late = leases
    assert early is None and late is not None
    late.close()


def test_a_search_gives_its_gpu_back_to_an_older_process_twice_and_then_stays(simulation: Simulation) -> None:
    # Given a search that meets another process on each GPU, and then fails for a reason of its own
    simulation.sections = SEARCH
    simulation.gpus = {"GPU-a": idle(80), "GPU-b": idle(40)}
    taken, wrong = Attempt(exit_code=WorkerExit.GPU_TAKEN), Attempt(exit_code=WorkerExit.CONFIG)
    simulation.attempts = {"SD1.5_DDIM_20": [taken, taken, wrong]}

    simulation.run(retry={"max_attempts": 1})

    # Then what it gave back used up no attempt, and it was not asked to give way a third time
    assert [TOLERATED in job.env for _, job in simulation.jobs] == [True, True, False]
    failed = simulation.queued["SD1.5_DDIM_20"].failed
    assert failed is not None and (failed.attempt, failed.counted) == (3, 1)


def test_no_more_gpus_are_leased_than_tasks_want(simulation: Simulation) -> None:
    simulation.gpus = {f"GPU-{number}": idle(80) for number in range(4)}

    simulation.run("a")

    assert simulation.executor.open_runners == 1
    leases = [path.name for path in (simulation.workdir.root / "leases").iterdir()]
    assert len(leases) == 1
