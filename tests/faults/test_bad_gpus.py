"""GPUs that answer NVML as ever and fail their workers; the GPUs are a stand-in NVML's, the workers real."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.program import Work
from tests.standin import StandIn

GPUS = {"samples": 1}
ONCE = {"max_attempts": 1, "backoff": "0s"}
SEGFAULT = "kill -SEGV $$"
UNKNOWN = "echo 'RuntimeError: CUDA error: unknown error' >&2; exit 1"
ODD = "echo 'cannot go on' >&2; exit 3"

Machine = Callable[[int], StandIn]


@pytest.fixture
def machine(tmp_path: Path, work: Work) -> Machine:
    """Give the work directory a machine with so many GPUs."""

    def build(gpus: int) -> StandIn:
        made = StandIn(tmp_path / "machine", gpus=gpus)
        work.env |= made.environment()
        return made

    return build


def on(gpus: list[str], then: str) -> str:
    """Return a script that does something on these GPUs alone; elsewhere a task takes a moment."""
    return f"case $CUDA_VISIBLE_DEVICES in {'|'.join(gpus)}) {then};; esac\nsleep 0.4\n"


def tasks(number: int) -> list[str]:
    return [f"t{index}" for index in range(number)]


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(SEGFAULT, id="crash"),
        pytest.param(UNKNOWN, id="unknown error", marks=pytest.mark.slow),
        pytest.param(ODD, id="odd", marks=pytest.mark.slow),
    ],
)
def test_one_bad_gpu_of_three_costs_no_task(work: Work, machine: Machine, failure: str) -> None:
    # Given one attempt a task, and a GPU that fails all of them at once
    bad = machine(3).uuid(1)
    go = work.folder / "go"
    healthy = f"while ! test -e {go}; do sleep 0.05; done\n"
    work.shell(on([bad], failure) + healthy, tasks(16), gpus=GPUS, retry=ONCE)
    with work.start_run() as run:
        run.await_line("waiting: a GPU (GPU 1: quarantined")
        # Then it is out, `gpus` and `status` say so
        (row,) = (row for row in work.json("gpus", "--json") if row["uuid"] == bad)
        waiting = {task["reason"] for task in work.status()["tasks"] if task["state"] == "pending"}
        go.touch()
        assert run.end() == 0, run.text
    assert set(work.states().values()) == {"done"}
    assert not row["idle"]
    assert "quarantined by the run at work" in row["why"]
    assert any("GPU 1: quarantined" in reason for reason in waiting)
    assert [line[:6] for line in run.lines if "quarantined: " in line and "waiting" not in line] == ["GPU 1:"]


def test_a_gpu_that_fails_with_exceptions_costs_no_task_its_attempts(work: Work, machine: Machine) -> None:
    # Given failures that look like the program's own, which count until the GPU has failed more than one task
    bad = machine(2).uuid(0)
    failure = "echo 'ValueError: images contain NaN' >&2; exit 1"
    work.shell(on([bad], failure), tasks(16), gpus=GPUS, retry={"max_attempts": 2, "backoff": "0s"})
    run = work.run()
    assert run.process.returncode == 0, run.text
    assert set(work.states().values()) == {"done"}


def test_an_exception_of_the_program_on_a_healthy_gpu_is_the_tasks(work: Work, machine: Machine) -> None:
    machine(2)
    work.shell("if test $T = t0; then echo 'KeyError: x'; exit 1; fi", tasks(4), gpus=GPUS, retry=ONCE)
    assert work.run().process.returncode == 1
    assert work.marker("t0.failed")["attempt"] == 1


def test_two_bad_gpus_of_four_cost_no_task(work: Work, machine: Machine) -> None:
    standin = machine(4)
    bad = [standin.uuid(0), standin.uuid(3)]
    work.shell(on(bad, UNKNOWN), tasks(20), gpus=GPUS, retry=ONCE)
    run = work.run()
    assert run.process.returncode == 0, run.text
    assert set(work.states().values()) == {"done"}


def test_a_gpu_that_fails_every_other_task_costs_none(work: Work, machine: Machine) -> None:
    standin = machine(3)
    flag = work.folder / "flag"
    failure = f"if mkdir {flag} 2> /dev/null; then {UNKNOWN}; else rmdir {flag}; fi"
    work.shell(on([standin.uuid(0)], failure), tasks(18), gpus=GPUS, retry=ONCE)
    run = work.run()
    assert run.process.returncode == 0, run.text
    assert set(work.states().values()) == {"done"}


def test_a_gpu_that_goes_bad_midway_is_taken_out(work: Work, machine: Machine) -> None:
    standin = machine(2)
    count = work.folder / "count"
    failure = f"echo >> {count}; if test $(wc -l < {count}) -gt 3; then {SEGFAULT}; fi"
    work.shell(on([standin.uuid(0)], failure), tasks(20), gpus=GPUS, retry=ONCE)
    run = work.run()
    assert run.process.returncode == 0, run.text
    assert "GPU 0: quarantined" in run.text
    assert "GPU 1: quarantined" not in run.text


def test_what_fails_on_every_gpu_stops_the_run(work: Work, machine: Machine) -> None:
    machine(3)
    work.shell(UNKNOWN, tasks(40), gpus=GPUS, retry={"max_attempts": 2, "backoff": "0s"})
    run = work.run()
    assert run.process.returncode == 1
    assert "failed alike" in run.text
    assert list(work.states().values()).count("pending") >= 25


def test_what_fails_on_the_only_gpu_stops_the_run(work: Work, machine: Machine) -> None:
    machine(2)
    failure = "echo 'CUDA error: uncorrectable ECC error encountered'; exit 1"
    work.shell(failure, tasks(20), gpus=GPUS, retry={"max_attempts": 2, "backoff": "1s"})
    run = work.run("--gpus", "0")
    assert run.process.returncode == 1
    assert "failed alike" in run.text
    assert "quarantined" not in run.text
    assert "pending" in work.states().values()


@pytest.mark.parametrize("failure", [SEGFAULT, ODD], ids=["crash", "odd"])
def test_a_bad_task_is_blamed_after_a_second_gpu_and_costs_no_gpu(
    work: Work, machine: Machine, failure: str
) -> None:
    # Given a task that fails wherever it runs, among others that do not
    machine(2)
    work.shell(f"if test $T = t0; then {failure}; fi\nsleep 0.4\n", tasks(8), gpus=GPUS, retry=ONCE)
    run = work.run()
    assert run.process.returncode == 1
    assert {name for name, state in work.states().items() if state == "failed"} == {"t0"}
    # Then it was tried once on each, of which one counted, and neither is out
    assert work.marker("t0.failed")["attempt"] == 2
    assert work.marker("t0.failed")["counted"] == 1
    assert "quarantined" not in run.text


def test_a_bad_task_on_the_only_gpu_has_no_second_opinion(work: Work, machine: Machine) -> None:
    machine(2)
    work.shell(f"if test $T = t0; then {ODD}; fi", tasks(3), gpus=GPUS, retry=ONCE)
    assert work.run("--gpus", "1").process.returncode == 1
    assert work.marker("t0.failed")["attempt"] == 1
