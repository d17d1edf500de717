"""Other users' processes on a GPU, memory that a worker leaves behind, and drivers that lack functions."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.eventually import eventually
from tests.faults.program import Gate, Work
from tests.standin import GIB, StandIn

QUICK = {"samples": 1}
HOLD = 'echo 2000000000 > "$STANDIN_NVML_HOLDERS/$CUDA_VISIBLE_DEVICES/$$"\n'
MEMORY = "nvmlDeviceGetMemoryInfo_v2"


class Stranger:
    """A process of somebody else's, which can take GPUs and leave them."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(["sleep", "600"])

    @property
    def pid(self) -> int:
        return self._process.pid

    def leave(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    made = Stranger()
    yield made
    made.leave()


def test_a_worker_that_fails_beside_a_stranger_is_put_back_uncounted(
    gpu_work: Work, standin: StandIn, gate: Gate, stranger: Stranger
) -> None:
    # Given a task with one attempt, whose worker fails after a stranger has taken its GPU
    gpu_work.shell(f"{gate.script()}\ntest $go = go", ["a"], gpus=QUICK, retry={"max_attempts": 1})
    with gpu_work.start_run("--gpus", "0") as run:
        worker = gate.arrivals(1)["a"]
        standin.hold(0, stranger.pid, 5 * GIB)
        os.kill(worker, signal.SIGABRT)
        assert f"pid {stranger.pid}" in run.await_line("given up")
        run.await_line("waiting")
        assert gpu_work.states() == {"a": "pending"}
        assert gpu_work.markers("failed") == []
        # When the stranger has left
        stranger.leave()
        gate.arrivals(1)
        gate.open()
        # Then the task is done in a second attempt: the first has used up nothing
        assert run.end() == 0, run.text
    assert gpu_work.marker("a.done")["attempt"] == 2


def test_a_worker_that_fails_alone_has_used_up_its_attempt(gpu_work: Work, gate: Gate) -> None:
    gpu_work.shell(f"{gate.script()}\ntest $go = go", ["a"], gpus=QUICK, retry={"max_attempts": 1})
    with gpu_work.start_run("--gpus", "0") as run:
        os.kill(gate.arrivals(1)["a"], signal.SIGABRT)
        assert run.end() == 1, run.text
    assert gpu_work.marker("a.failed")["attempt"] == 1


def test_the_next_task_starts_only_after_the_memory_is_free(gpu_work: Work, standin: StandIn) -> None:
    # Given memory that stays after its process, and a second task that fails if it starts before `freed`
    standin.set_gpu(0, linger=-1)
    freed = gpu_work.folder / "freed"
    script = f"if test $T = b; then test -e {freed}; else {HOLD} fi"
    gpu_work.shell(script, ["a", "b"], gpus=QUICK, retry={"max_attempts": 1})
    with gpu_work.start_run("--gpus", "0") as run:
        assert "1.9 GiB" in run.await_line("in use")
        looks = standin.calls()[MEMORY]
        # When the scheduler has looked several times, and b has not started
        eventually(lambda: standin.calls()[MEMORY] >= looks + 4, "four more looks at the memory")
        assert gpu_work.states() == {"a": "done", "b": "pending"}
        freed.touch()
        standin.set_gpu(0, linger=0)
        # Then b runs on that GPU, which was never given up
        assert run.end() == 0, run.text
    assert gpu_work.marker("b.done")["attempt"] == 1
    assert gpu_work.marker("b.done")["gpu"] == standin.uuid(0)
    assert not any(word in run.text for word in ("quarantined", "goes back", "given up")), run.text


def test_a_stranger_that_comes_during_a_retrys_pause_keeps_the_gpu(
    gpu_work: Work, standin: StandIn, stranger: Stranger
) -> None:
    # Given a first attempt that fails, and a pause before the second
    left = gpu_work.folder / "left"
    script = f"if test -e $T.once; then test -e {left}; else touch $T.once; exit 1; fi"
    gpu_work.shell(script, ["a"], gpus=QUICK, retry={"max_attempts": 2, "backoff": "2s"})
    with gpu_work.start_run("--gpus", "0") as run:
        run.await_line("failed: c/a")
        # When a stranger comes meanwhile
        standin.hold(0, stranger.pid, 5 * GIB)
        assert f"pid {stranger.pid}" in run.await_line("the task goes back")
        # Then the task waits until it has left
        run.await_line("waiting")
        assert gpu_work.markers("running") == []
        left.touch()
        stranger.leave()
        assert run.end() == 0, run.text
    assert gpu_work.marker("a.done")["attempt"] == 2


VERSIONED = {
    "nvmlDeviceGetMemoryInfo_v2",
    "nvmlDeviceGetComputeRunningProcesses_v3",
    "nvmlDeviceGetGraphicsRunningProcesses_v3",
    "nvmlDeviceGetPciInfo_v3",
    "nvmlSystemGetCudaDriverVersion_v2",
}
LATE = {"nvmlDeviceGetMigMode", "nvmlDeviceGetMaxMigDeviceCount", "nvmlDeviceGetUtilizationRates"}


def old_driver(folder: Path, missing: set[str]) -> StandIn:
    """Return a machine whose driver lacks these functions."""
    return StandIn(folder / "old", gpus=2, missing=frozenset(missing))


@pytest.mark.parametrize("missing", [VERSIONED, VERSIONED | LATE], ids=["versioned", "late"])
def test_a_driver_without_a_function_is_used_as_far_as_it_goes(
    work: Work, tmp_path: Path, stranger: Stranger, missing: set[str]
) -> None:
    machine = old_driver(tmp_path, missing)
    machine.hold(0, stranger.pid, 20 * GIB)
    work.env |= machine.environment()
    work.shell('echo "$CUDA_VISIBLE_DEVICES"', ["a"], gpus=QUICK)
    run = work.run()
    assert run.process.returncode == 0, run.text
    assert "Traceback" not in run.text
    assert work.log("a").split()[0] == work.marker("a.done")["gpu"] == machine.uuid(1)
    busy, idle = work.json("gpus", "--json")
    # What it does not tell is unknown, what it tells by an older function is known.
    assert (busy["idle"], idle["idle"]) == (False, True)
    assert "GiB in use" in busy["why"] and f"pid {stranger.pid}" in busy["why"]
    assert {busy["utilization"], idle["utilization"]} == ({None} if missing & LATE else {0})


@pytest.mark.parametrize("missing", ["nvmlInitWithFlags", "nvmlDeviceGetCount_v2"])
def test_a_driver_too_old_to_count_gpus_is_one_line(work: Work, tmp_path: Path, missing: str) -> None:
    work.env |= old_driver(tmp_path, {missing}).environment()
    work.shell("true", ["a"], gpus=QUICK)
    run = work.run()
    assert run.process.returncode == 3, run.text
    assert len(run.lines) == 1, run.text
    assert "--gpus none" in run.text
    assert work.states() == {"a": "pending"}
