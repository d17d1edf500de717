"""What happens to GPUs: masks, other users, losses, memory that lingers. The GPUs are a stand-in NVML's."""

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest
from tests.faults.forked import write_worker
from tests.faults.program import Gate, Work, await_end, is_alive
from tests.standin import GIB, StandIn

QUICK = {"samples": 1}
ONCE = {"max_attempts": 1, "backoff": "0s"}
HOLD = 'echo 2000000000 > "$STANDIN_NVML_HOLDERS/$CUDA_VISIBLE_DEVICES/$$"\n'
SHOW = 'echo "$CUDA_DEVICE_ORDER $CUDA_VISIBLE_DEVICES"\n'


@pytest.fixture
def stranger() -> Iterator[int]:
    """A process of somebody else's."""
    process = subprocess.Popen(["sleep", "600"])
    yield process.pid
    process.kill()
    process.wait()


def gpu_of(work: Work, task: str) -> str:
    """Return what the worker of a task saw, which must be one GPU and in PCI order."""
    order, gpu = work.log(task).split()[:2]
    assert order == "PCI_BUS_ID"
    assert gpu == work.marker(f"{task}.done")["gpu"]
    return gpu


def test_each_worker_is_pinned_to_one_gpu_by_uuid(gpu_work: Work, standin: StandIn, gate: Gate) -> None:
    gpu_work.shell(f"{SHOW}{gate.script()}", ["a", "b"], gpus=QUICK)
    with gpu_work.start_run() as run:
        gate.arrivals(2)
        gate.open(2)
        assert run.end() == 0, run.text
    assert {gpu_of(gpu_work, task) for task in "ab"} == {standin.uuid(0), standin.uuid(1)}


def test_gpu_numbers_are_cudas_not_nvmls(gpu_work: Work, standin: StandIn) -> None:
    # Given NVML listing first what is last on the PCI bus
    standin.set_gpu(0, bus="00000000:F0:00.0")
    gpu_work.shell(SHOW, ["a"], gpus=QUICK)
    assert gpu_work.run("--gpus", "0").process.returncode == 0
    assert gpu_of(gpu_work, "a") == standin.uuid(1)


@pytest.mark.parametrize("form", ["index", "uuid"])
def test_a_mask_round_the_scheduler_is_kept_to(gpu_work: Work, standin: StandIn, form: str) -> None:
    mask = "1" if form == "index" else standin.uuid(1)
    gpu_work.shell(SHOW, ["a", "b", "c"], gpus=QUICK)
    assert gpu_work.run(CUDA_VISIBLE_DEVICES=mask).process.returncode == 0
    assert {gpu_of(gpu_work, task) for task in "abc"} == {standin.uuid(1)}


@pytest.mark.parametrize("mask", ["", "-1"])
def test_an_empty_mask_means_none(gpu_work: Work, mask: str) -> None:
    gpu_work.shell("true", ["a"], gpus=QUICK)
    run = gpu_work.run(CUDA_VISIBLE_DEVICES=mask)
    assert run.process.returncode == 3
    assert gpu_work.states() == {"a": "pending"}


def test_without_a_driver_one_line_says_so(work: Work) -> None:
    work.shell("true", ["a"])
    run = work.run()
    assert run.process.returncode == 3
    assert len(run.lines) == 1, run.text


def test_without_a_driver_cpu_slots_work_where_allowed(work: Work) -> None:
    work.shell('echo "[$CUDA_VISIBLE_DEVICES]"', ["a"], gpus={"allow_cpu": True})
    assert work.run().process.returncode == 0
    assert "[]" in work.log("a")


@pytest.mark.parametrize("gpus", ["0", "GPU-none", "foo"])
def test_without_a_driver_a_gpu_that_is_asked_for_is_missed(work: Work, gpus: str) -> None:
    work.shell("true", ["a"], gpus={"allow_cpu": True})
    run = work.run("--gpus", gpus)
    assert run.process.returncode == 3
    assert len(run.lines) == 1, run.text


def test_a_lost_gpu_is_quarantined_and_its_task_runs_elsewhere(
    gpu_work: Work, standin: StandIn, gate: Gate
) -> None:
    # Given one attempt only, a task at work on each GPU
    gpu_work.shell(f"{SHOW}{gate.script()}", ["a", "b"], gpus=QUICK, retry=ONCE)
    with gpu_work.start_run() as run:
        workers = gate.arrivals(2)
        tasks = {gpu_work.marker(f"{task}.running")["gpu"]: task for task in "ab"}
        lost = tasks[standin.uuid(0)]
        # When the first GPU falls off the bus
        standin.lose(0)
        run.await_line("quarantined")
        await_end(workers[lost])
        gate.open()
        gate.arrivals(1)
        gate.open()
        # Then its task is done on the other, in a second attempt that cost nothing
        assert run.end() == 0, run.text
    assert gpu_of(gpu_work, lost) == standin.uuid(1)
    assert gpu_work.marker(f"{lost}.done")["attempt"] == 2


def test_a_worker_that_dies_of_a_lost_gpu_uses_up_no_retry(
    gpu_work: Work, standin: StandIn, gate: Gate
) -> None:
    gpu_work.shell(f"{SHOW}{gate.script()}\ntest $go = go", ["a"], gpus=QUICK, retry=ONCE)
    with gpu_work.start_run() as run:
        worker = gate.arrivals(1)["a"]
        standin.lose(0)
        standin.lose(1)
        os.kill(worker, signal.SIGSEGV)
        run.await_line("quarantined")
        standin.restore(0)
        standin.restore(1)
        gate.arrivals(1)
        gate.open()
        assert run.end() == 0, run.text
    assert gpu_work.marker("a.done")["attempt"] == 2


def test_unknown_utilisation_passes_and_is_not_zero(gpu_work: Work, standin: StandIn) -> None:
    for index in (0, 1):
        standin.set_gpu(index, utilization="unsupported")
    gpu_work.shell(SHOW, ["a"], gpus=QUICK)
    assert gpu_work.run().process.returncode == 0
    assert {row["utilization"] for row in gpu_work.json("gpus", "--json")} == {None}


def test_a_gpu_in_compute_mode_prohibited_gets_no_task(gpu_work: Work, standin: StandIn) -> None:
    standin.set_gpu(0, compute_mode=2)
    gpu_work.shell(SHOW, ["a", "b", "c"], gpus=QUICK)
    assert gpu_work.run().process.returncode == 0
    assert {gpu_of(gpu_work, task) for task in "abc"} == {standin.uuid(1)}
    prohibited, usable = gpu_work.json("gpus", "--json")
    assert (prohibited["idle"], usable["idle"]) == (False, True)
    assert "Prohibited" in prohibited["why"]


def test_an_exclusive_gpu_waits_for_the_process_on_it(
    gpu_work: Work, standin: StandIn, stranger: int
) -> None:
    standin.set_gpu(0, compute_mode=3)
    standin.hold(0, stranger, GIB // 4)
    gpu_work.shell(SHOW, ["a"], gpus=QUICK)
    with gpu_work.start_run("--gpus", "0") as run:
        assert f"pid {stranger}" in run.await_line("Exclusive Process")
        os.kill(stranger, signal.SIGKILL)
        assert run.end() == 0, run.text


@pytest.mark.parametrize("memory", ["zero", "unsupported"])
def test_a_gpu_of_unknown_memory_is_used(gpu_work: Work, standin: StandIn, memory: str) -> None:
    standin.set_gpu(0, memory=memory, utilization="unsupported")
    gpu_work.shell(SHOW, ["a"], gpus={"samples": 1, "min_free_memory": "64GiB"})
    assert "cannot be judged" in gpu_work.json("gpus", "--json")[0]["why"]
    run = gpu_work.run("--gpus", "0")
    assert run.process.returncode == 0, run.text
    assert gpu_of(gpu_work, "a") == standin.uuid(0)


def test_mig_instances_are_offered_one_task_each(gpu_work: Work, standin: StandIn, gate: Gate) -> None:
    half = {"total": 70 * GIB, "used": 0, "utilization": "unsupported"}
    instances = [{"uuid": f"MIG-{number}", "name": "H200 MIG 3g.71gb", **half} for number in (0, 1)]
    standin.set_gpu(0, mig=1, instances=instances)
    gpu_work.shell(f"{SHOW}{gate.script()}", ["a", "b", "c"], gpus=QUICK)
    with gpu_work.start_run() as run:
        gate.arrivals(3)
        gate.open(3)
        assert run.end() == 0, run.text
    assert {gpu_of(gpu_work, task) for task in "abc"} == {"MIG-0", "MIG-1", standin.uuid(1)}


def test_memory_held_at_no_utilisation_is_busy(gpu_work: Work, standin: StandIn) -> None:
    # Given one GPU that may be used, with 20 GB held at 0 %
    standin.set_gpu(0, used=20 * GIB)
    gpu_work.shell(SHOW, ["a"], gpus=QUICK)
    with gpu_work.start_run("--gpus", "0") as run:
        # Then the task waits, and status says what for
        run.await_line("20.0 GiB in use")
        (task,) = gpu_work.status()["tasks"]
        assert task["state"] == "pending"
        assert "20.0 GiB in use" in task["reason"]
        # When the memory is free again, it runs
        standin.set_gpu(0, used=0)
        assert run.end() == 0, run.text


def test_one_idle_sample_is_not_enough(gpu_work: Work, standin: StandIn) -> None:
    gpu_work.shell(SHOW, ["a"], gpus={"samples": 3})
    with gpu_work.start_run("--gpus", "0") as run:
        run.await_line("1 of 3")
        standin.set_gpu(0, utilization=80)
        run.await_line("utilisation 80 %")
        assert gpu_work.markers("running") == []
        standin.set_gpu(0, utilization=0)
        assert run.end() == 0, run.text


def test_a_gpu_that_someone_takes_between_two_tasks_is_given_up(
    gpu_work: Work, standin: StandIn, gate: Gate, stranger: int
) -> None:
    gpu_work.shell(f"{SHOW}{gate.script()}", ["a", "b"], gpus=QUICK, retry=ONCE)
    with gpu_work.start_run("--gpus", "0") as run:
        gate.arrivals(1)
        standin.hold(0, stranger, 5 * GIB)
        gate.open()
        run.await_line("given up")
        assert gpu_work.status()["counts"]["pending"] == 1
        assert "leased" not in gpu_work.json("gpus", "--json")[0]["why"]
        os.kill(stranger, signal.SIGKILL)
        os.waitpid(stranger, 0)
        gate.arrivals(1)
        gate.open()
        assert run.end() == 0, run.text


def test_two_schedulers_never_share_a_gpu(gpu_work: Work, standin: StandIn, gate: Gate) -> None:
    other = Work(gpu_work.folder, gpu_work.env)
    other.root = gpu_work.folder / "other"
    gpu_work.shell(f"{HOLD}{gate.script()}", ["a"], gpus=QUICK)
    with gpu_work.start_run("--gpus", "0") as first, other.start_run("--gpus", "0") as second:
        gate.arrivals(1)
        loser = second if gpu_work.markers("running") else first
        loser.await_line("leased by pid")
        gate.open()
        gate.arrivals(1)
        gate.open()
        assert (first.end(), second.end()) == (0, 0)


def test_a_lease_outlives_a_killed_scheduler_and_ends_with_its_worker(
    gpu_work: Work, standin: StandIn, gate: Gate
) -> None:
    other = Work(gpu_work.folder, gpu_work.env)
    other.root = gpu_work.folder / "other"
    gpu_work.shell(gate.script(), ["a"], gpus=QUICK)
    with gpu_work.start_run("--gpus", "0") as first:
        worker = gate.arrivals(1)["a"]
        first.process.kill()
        first.process.wait()
    with other.start_run("--gpus", "0") as second:
        second.await_line("leased by")
        assert is_alive(worker)
        gate.open()
        gate.arrivals(1)
        assert not is_alive(worker)
        gate.open()
        assert second.end() == 0, second.text


def test_lingering_memory_is_waited_for(gpu_work: Work, standin: StandIn) -> None:
    standin.set_gpu(0, linger=1)
    gpu_work.shell(f"{HOLD}{SHOW}", ["a", "b"], gpus=QUICK)
    run = gpu_work.run("--gpus", "0")
    assert run.process.returncode == 0, run.text
    assert "quarantined" not in run.text


def test_memory_that_stays_quarantines_the_gpu(gpu_work: Work, standin: StandIn, gate: Gate) -> None:
    standin.set_gpu(0, linger=-1)
    limits = QUICK | {"release_timeout": "1s"}
    gpu_work.shell(f"{HOLD}{SHOW}{gate.script()}", ["a", "b", "c", "d"], gpus=limits)
    with gpu_work.start_run() as run:
        gate.arrivals(2)
        gate.open(2)
        gate.arrivals(1)
        run.await_line("quarantined")
        gate.open(2)
        assert run.end() == 0, run.text
    assert {gpu_of(gpu_work, task) for task in "cd"} == {standin.uuid(1)}


def test_a_gpu_that_no_task_needs_is_given_back(gpu_work: Work, standin: StandIn, gate: Gate) -> None:
    gpu_work.shell(gate.script(), ["a", "b"], gpus=QUICK)
    with gpu_work.start_run() as run:
        gate.arrivals(2)
        assert all("leased" in row["why"] for row in gpu_work.json("gpus", "--json"))
        gate.open()
        run.await_line("done")
        assert sum("leased" in row["why"] for row in gpu_work.json("gpus", "--json")) == 1
        gate.open()
        assert run.end() == 0, run.text
    assert not any("leased" in row["why"] for row in gpu_work.json("gpus", "--json"))


def test_a_killed_keeper_on_a_gpu_costs_nothing(gpu_work: Work, standin: StandIn, gate: Gate) -> None:
    gpu_work.shell(f"{HOLD}{gate.script()}", ["a"], gpus=QUICK, retry=ONCE)
    with gpu_work.start_run("--gpus", "0") as run:
        gate.arrivals(1)
        os.kill(gpu_work.marker("a.running")["keeper_pid"], signal.SIGKILL)
        gate.arrivals(1)
        gate.open()
        assert run.end() == 0, run.text


def test_more_memory_than_any_gpu_has_is_refused(gpu_work: Work) -> None:
    gpu_work.shell("true", ["a"], gpus={"min_free_memory": "500GiB"})
    run = gpu_work.run()
    assert run.process.returncode == 3
    assert "500.0 GiB" in run.text


def test_a_task_larger_than_any_gpu_is_refused(gpu_work: Work, standin: StandIn) -> None:
    for index in (0, 1):
        standin.set_gpu(index, total=7 * GIB)
    fake_search(gpu_work)
    for command in ("plan", "run"):
        with gpu_work.start(command, "c.yaml") as program:
            assert program.end() == 3
        assert len(program.lines) == 1
        assert "needs about 8.0 GiB" in program.text


def test_a_task_larger_than_what_is_free_waits_and_says_so(gpu_work: Work, standin: StandIn) -> None:
    for index in (0, 1):
        standin.set_gpu(index, used=135 * GIB)
    fake_search(gpu_work)
    with gpu_work.start_run() as run:
        run.await_line("the tasks that wait need more")
        assert "the tasks that wait need more" in gpu_work.status()["tasks"][0]["reason"]
        assert gpu_work.markers("running") == []
        standin.set_gpu(1, used=0)
        run.await_line("started")
        run.end()
    assert gpu_work.marker("SD1.5_DDIM_4.failed")["gpu"] == standin.uuid(1)


def fake_search(work: Work) -> None:
    """Configure a task of 8 GiB whose worker ends at once, failed."""
    write_worker(work.folder / "fake", "def main(words): os._exit(2)")
    (work.folder / "prompts.txt").write_text("".join(f"{number} circles\n" for number in range(4)))
    (work.folder / "c.yaml").write_text(
        "grid: {pipe: [SD1.5], sched: [DDIM], steps: [4]}\n"
        "methods: {deepcache: {cache_interval: [2]}}\n"
        "prompts: {file: prompts.txt}\n"
        f"worker: {{num_samples: 4, env: {{PYTHONPATH: {work.folder / 'fake'}}}}}\n"
        "gpus: {samples: 1, max_used_memory: 139GiB, min_free_memory: 1GiB}\n"
    )


def test_an_older_driver_is_good_enough(tmp_path_factory: pytest.TempPathFactory, gpu_work: Work) -> None:
    old = StandIn(
        tmp_path_factory.mktemp("old"),
        gpus=1,
        missing=frozenset({"nvmlDeviceGetMemoryInfo_v2", "nvmlDeviceGetComputeRunningProcesses_v3"}),
    )
    gpu_work.env = old.environment() | {"FAULT_TEST": str(gpu_work.folder)}
    gpu_work.shell(SHOW, ["a"], gpus=QUICK)
    run = gpu_work.run()
    assert run.process.returncode == 0, run.text


def test_nvml_is_left_alone_while_every_gpu_is_at_work(gpu_work: Work, standin: StandIn, gate: Gate) -> None:
    gpu_work.shell(gate.script(), ["a"], gpus=QUICK)
    with gpu_work.start_run("--gpus", "0") as run:
        gate.arrivals(1)
        before = standin.calls().total()
        # While another program starts and ends, a loop that polled would ask hundreds of times.
        assert gpu_work.states() == {"a": "running"}
        gate.open()
        assert run.end() == 0, run.text
    assert standin.calls().total() - before <= 20
