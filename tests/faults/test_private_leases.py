"""Schedulers that do not see each other's leases, as containers with a /tmp of their own, on one GPU."""

import subprocess

import pytest
from tests.faults.program import LONG, Gate, Work, await_end
from tests.standin import GIB, StandIn

HOLD = 'echo 2000000000 > "$STANDIN_NVML_HOLDERS/$CUDA_VISIBLE_DEVICES/$$"\n'
QUICK = {"samples": 1}
ONCE = {"max_attempts": 1, "backoff": "0s"}


@pytest.fixture
def go(gpu_work: Work, gate: Gate) -> str:
    """Let tasks show on the GPU only when the gate opens, and end once a file is there."""
    name = str(gpu_work.folder / "go")
    script = f"{gate.script()}\n{HOLD}while ! test -e {name}; do sleep 0.05; done"
    gpu_work.shell(script, ["a"], gpus=QUICK, retry=ONCE)
    return name


def second(work: Work, task: str, script: str) -> Work:
    """Return another work directory, with leases of its own."""
    folder = work.folder / "second"
    folder.mkdir()
    made = Work(folder, work.env | {"ACCSEARCH_LEASES": str(folder / "leases")})
    made.shell(script, [task], gpus=QUICK, retry=ONCE)
    return made


def test_of_two_that_start_at_once_the_younger_gives_the_gpu_back(
    gpu_work: Work, standin: StandIn, gate: Gate, go: str
) -> None:
    # Given two schedulers, whose workers have both started on the GPU before either shows there
    other = second(
        gpu_work, "b", (gpu_work.folder / "worker.sh").read_text().split("set -e\n")[1].rpartition("echo")[0]
    )
    with gpu_work.start_run("--gpus", "0") as first:
        gate.arrivals(1)
        with other.start_run("--gpus", "0") as later:
            worker = gate.arrivals(1)["b"]
            gate.open(2)
            # When both do, the one that was started later leaves, at no cost
            later.await_line("left to another process")
            await_end(worker)
            later.await_line("waiting")
            assert other.states() == {"b": "pending"}
            assert other.markers("failed") == []
            # Then the first ends in its first attempt, the second afterwards
            (gpu_work.folder / "go").touch()
            assert first.end() == 0, first.text
            gate.arrivals(1)
            gate.open()
            assert later.end() == 0, later.text
    assert gpu_work.marker("a.done")["attempt"] == 1
    assert other.marker("b.done")["attempt"] == 2


def test_who_comes_later_costs_a_worker_nothing(
    gpu_work: Work, standin: StandIn, gate: Gate, go: str
) -> None:
    with gpu_work.start_run("--gpus", "0") as run:
        gate.arrivals(1)
        with subprocess.Popen(["sleep", "600"]) as stranger:
            standin.hold(0, stranger.pid, 5 * GIB)
            gate.open()
            assert f"pid {stranger.pid}" in run.await_line("another process is on it, too")
            (gpu_work.folder / "go").touch()
            assert run.end() == 0, run.text
            stranger.kill()
    assert gpu_work.marker("a.done")["attempt"] == 1


def test_numbers_of_another_namespace_are_no_strangers(gpu_work: Work, standin: StandIn, gate: Gate) -> None:
    # Given a driver that lists the worker under a number that is some older process's here
    with subprocess.Popen(["sleep", "600"]) as unrelated:
        holder = f"$STANDIN_NVML_HOLDERS/$CUDA_VISIBLE_DEVICES/{unrelated.pid}"
        script = f'{gate.script()}\necho 100 > "{holder}"\n{gate.script()}'
        gpu_work.shell(script, ["a"], gpus=QUICK, retry=ONCE)
        with gpu_work.start_run("--gpus", "0") as run:
            gate.arrivals(1)
            gate.open()
            gate.arrivals(1)
            before = standin.calls()["nvmlDeviceGetComputeRunningProcesses_v3"]
            while standin.calls()["nvmlDeviceGetComputeRunningProcesses_v3"] < before + 2:
                assert run.process.poll() is None
            # Then it is left alone
            gate.open()
            assert run.end() == 0, run.text
        unrelated.kill()
    assert gpu_work.marker("a.done")["attempt"] == 1
    assert "another process is on it" not in run.text


def test_a_search_that_finds_its_gpu_taken_gives_it_back_uncounted(gpu_work: Work, standin: StandIn) -> None:
    # Given a real search with one attempt, which needs seconds of imports before it looks at its GPU
    (gpu_work.folder / "c.yaml").write_text(
        "grid: {pipe: [{name: tiny, model: 'builtin:tiny-sd'}], sched: [DDIM], steps: [4]}\n"
        "worker: {device: auto, dtype: float32, num_samples: 2, batch_size: 2, repeats: 1, max_repeats: 1, warmup: 0}\n"
        "methods: {}\nquality: {model: 'builtin:tiny'}\nprompts: {file: 'builtin:demo'}\n"
        "gpus: {samples: 1, min_free_memory: 1GiB}\nretry: {max_attempts: 1, backoff: 0s}\n"
    )
    with gpu_work.start_run("--gpus", "0") as run, subprocess.Popen(["sleep", "600"]) as stranger:
        run.await_line("started")
        # When another process takes the GPU meanwhile
        standin.hold(0, stranger.pid, 5 * GIB)
        assert f"pid {stranger.pid}" in run.await_line("another process is on the GPU")
        run.await_line("waiting")
        assert gpu_work.markers("failed") == []
        assert gpu_work.states() == {"tiny_DDIM_4": "pending"}
        # Then the task runs once the other has left
        stranger.kill()
        stranger.wait()
        assert run.end(patience=5 * LONG) == 0, run.text
    assert gpu_work.marker("tiny_DDIM_4.done")["attempt"] == 2
    assert "quarantined" not in run.text
