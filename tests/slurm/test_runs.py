"""Runs on a real Slurm: what is done, resumed, lost, failed and stopped."""

from tests.faults.eventually import eventually
from tests.faults.program import Gate
from tests.slurm.cluster import NODES
from tests.slurm.work import SlurmWork
from tests.standin import StandIn


def history(work: SlurmWork) -> list[str]:
    """Return `TASK HOST` of each worker that was started."""
    return (work.folder / "history").read_text().splitlines()


def noting(work: SlurmWork, gate: Gate) -> str:
    """Return the script of a worker that notes its start and waits at the gate."""
    return f"echo $T $(hostname) >> {work.folder}/history; {gate.script()}"


def test_each_task_gets_an_idle_gpu_and_status_says_where(
    gpu_work: SlurmWork, gate: Gate, standin: StandIn
) -> None:
    work = gpu_work
    # Given GPUs of which the first of each node is in use, and more tasks than GPUs
    standin.set_gpu(0, used=20 << 30)
    work.shell(f"{gate.script()}; echo pinned to $CUDA_VISIBLE_DEVICES", ["a", "b", "c", "d", "e"])
    with work.start_run() as run:
        gate.arrivals(2)
        run.await_line("no GPU is idle now: GPU 0: ")
        standin.set_gpu(0, used=0)
        gate.arrivals(2)
        eventually(
            lambda: any("Resources" in str(row["reason"]) for row in work.rows().values()),
            "the fifth waits in the queue",
        )
        rows = work.rows().values()
        running = [row for row in rows if row["state"] == "running"]
        assert {row["host"] for row in running} == set(NODES)
        assert {row["job_id"] for row in running} <= set(work.queue("RUNNING"))
        gate.open(5)
        assert run.end() == 0, run.text
    # Then each had a GPU of its node to itself, and what was sent back has cost nothing
    done = [work.marker(f"{task}.done") for task in "abcde"]
    assert {marker["gpu"] for marker in done} == {standin.uuid(0), standin.uuid(1)}
    assert all(work.log(marker["task"]).startswith(f"pinned to {marker['gpu']}") for marker in done)
    assert {marker["attempt"] for marker in done} == {1}
    assert not list((work.root / "checkpoints" / ".jobs").iterdir())


def test_a_run_whose_driver_was_killed_goes_on_and_submits_nothing_twice(work: SlurmWork, gate: Gate) -> None:
    # Given two tasks that run, one that ends while nobody looks, and two that wait in the queue
    work.shell(noting(work, gate), ["a", "b", "c", "d", "e", "f"])
    with work.start_run() as run:
        gate.arrivals(4)
        eventually(lambda: len(work.queue("PENDING")) == 2, "two wait")
        run.process.kill()
    gate.open()
    gate.arrivals(1)
    assert sum(row["state"] == "running" for row in work.rows().values()) == 4
    with work.start_run() as run:
        run.await_line("adopted")
        gate.open(5)
        assert run.end() == 0, run.text
    assert sorted(line.split()[0] for line in history(work)) == list("abcdef")
    assert len(work.queue()) == 6
    # And a later run leaves nothing of the jobs that ended while nobody looked
    work.shell(noting(work, gate), ["g"])
    with work.start_run() as run:
        gate.arrivals(1)
        gate.open()
        assert run.end() == 0, run.text
    assert not list((work.root / "checkpoints" / ".jobs").iterdir())
    assert {work.marker(f"{task}.done")["attempt"] for task in "abcdef"} == {1}


def test_what_was_submitted_and_not_recorded_is_cancelled(work: SlurmWork, gate: Gate) -> None:
    # Given a run that was killed between the submission and its record
    work.shell("true", ["a"])
    assert work.run().process.returncode == 0
    name = work.cluster.command("squeue", "-h", "-t", "all", "-o", "%j", f"--job={work.queue()[0]}")[0]
    lost = work.cluster.command(
        "sbatch", "--parsable", "--hold", "--array=0", f"--job-name={name}", "--wrap=true"
    )
    work.shell("true", ["b"])
    assert work.run().process.returncode == 0
    assert work.cluster.command("squeue", "-h", "-t", "all", "-o", "%T", f"--job={lost[0]}") == ["CANCELLED"]


def test_the_task_of_a_node_that_died_runs_again_on_another(work: SlurmWork, gate: Gate) -> None:
    work.shell(noting(work, gate), ["a", "b", "c", "d"], retry={"max_attempts": 1, "backoff": "0s"})
    with work.start_run() as run:
        gate.arrivals(4)
        work.cluster.kill_node("n1")
        assert {row["host"] for row in work.rows().values()} == set(NODES)
        gate.open(2)
        run.await_line("has lost its node (n1); it runs again")
        gate.arrivals(2)
        gate.open(2)
        assert run.end() == 0, run.text
    work.cluster.start_node("n1")
    work.cluster.await_idle("n1")
    done = [work.marker(f"{task}.done") for task in "abcd"]
    assert {marker["host"] for marker in done} == {"n2"}
    assert sorted(marker["attempt"] for marker in done) == [1, 1, 2, 2]


def test_the_worker_of_a_node_that_slurm_has_lost_counts_and_runs_once(work: SlurmWork, gate: Gate) -> None:
    # Given a node whose slurmd dies, but not what it has started
    work.shell(noting(work, gate), ["a", "b"], cluster={"cpus_per_task": 4})
    with work.start_run() as run:
        gate.arrivals(2)
        work.cluster.kill_slurmd("n1")
        eventually(lambda: len(work.queue("NODE_FAIL")) == 1, "Slurm gives the job up")
        # Then it is awaited for longer than a silent one would be
        with_patience = work.start("status", "--json")
        with with_patience:
            assert with_patience.end() == 0
        eventually(lambda: bool(work.queue("NODE_FAIL")), "still so")
        assert run.process.poll() is None
        gate.open(2)
        assert run.end() == 0, run.text
    work.cluster.kill_node("n1")
    work.cluster.start_node("n1")
    work.cluster.await_idle("n1")
    assert len(history(work)) == 2
    assert {work.marker(f"{task}.done")["host"] for task in "ab"} == set(NODES)


def test_a_failed_task_is_retried_on_the_cluster(work: SlurmWork) -> None:
    flag = work.folder / "flag"
    work.shell(f"test -e {flag}", ["a"], retry={"max_attempts": 1})
    assert work.run().process.returncode == 1
    assert work.marker("a.failed")["host"] in NODES
    flag.touch()
    with work.start("retry", "--failed") as retry:
        assert retry.end() == 0, retry.text
    assert work.marker("a.done")["host"] in NODES


def test_stop_cancels_what_waits_and_lets_run_what_runs(work: SlurmWork, gate: Gate) -> None:
    work.shell(noting(work, gate), ["a", "b", "c", "d", "e"])
    with work.start_run() as run:
        gate.arrivals(4)
        eventually(lambda: len(work.queue("PENDING")) == 1, "one waits")
        with work.start("stop") as stop:
            assert stop.end() == 0
        eventually(lambda: len(work.queue("CANCELLED")) == 1, "it is cancelled")
        gate.open(4)
        assert run.end() == 130, run.text
    assert work.states() == dict.fromkeys("abcd", "done") | {"e": "pending"}


def test_stop_now_ends_what_runs_and_it_goes_on_later(work: SlurmWork, gate: Gate) -> None:
    work.shell(noting(work, gate), ["a", "b"], retry={"max_attempts": 1, "backoff": "0s"})
    with work.start_run() as run:
        gate.arrivals(2)
        with work.start("stop", "--now") as stop:
            assert stop.end() == 0
        assert run.end() == 130, run.text
    assert work.states() == {"a": "pending", "b": "pending"}
    assert not work.queue("RUNNING", "PENDING")
    with work.start_run() as run:
        gate.arrivals(2)
        gate.open(2)
        assert run.end() == 0, run.text
    assert {work.marker(f"{task}.done")["attempt"] for task in "ab"} == {2}


def test_a_preempted_and_a_cancelled_task_run_again_uncounted(work: SlurmWork, gate: Gate) -> None:
    work.shell(noting(work, gate), ["a"], retry={"max_attempts": 1, "backoff": "0s"})
    with work.start_run() as run:
        gate.arrivals(1)
        # What Slurm does at WARNING seconds before the time limit
        work.cluster.command("scancel", "--batch", "--signal=TERM", *work.queue("RUNNING"))
        gate.arrivals(1)
        work.cluster.command("scancel", *work.queue("RUNNING"))
        gate.arrivals(1)
        urgent = (
            "sbatch",
            "--partition=urgent",
            "--nodes=2",
            "--exclusive",
            "--wrap=true",
            "--output=/dev/null",
        )
        work.cluster.command(*urgent)
        gate.arrivals(1)
        gate.open()
        assert run.end() == 0, run.text
    assert work.marker("a.done")["attempt"] == 4


def test_a_mistake_in_the_cluster_section_is_one_line(work: SlurmWork) -> None:
    work.shell("true", ["a"], cluster={"partition": "nowhere"})
    run = work.run()
    assert run.process.returncode == 2
    (line,) = [line for line in run.lines if "slurm" in line]
    assert line == "accsearch: --executor slurm: allocation failure: Invalid partition name specified"
