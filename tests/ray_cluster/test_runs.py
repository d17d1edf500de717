"""Runs on a real two-node Ray cluster; few, since each takes seconds to join it. The last one loses a node."""

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.cli.program import accsearch
from tests.faults.program import Gate, await_end, is_alive
from tests.ray_cluster.cluster import PATIENCE, RayWork, TwoNodes

from accsearch.config.load import build_config
from accsearch.executors.executor import Job
from accsearch.executors.opening import open_executor
from accsearch.executors.setup import Setup
from accsearch.grid import expand
from accsearch.workdir import WorkDir

pytest.importorskip("ray", reason="Ray is not installed: pip install 'accsearch[ray]'")
pytestmark = pytest.mark.process

CI = str(Path("configs/ci.yaml").resolve())
IMAGES = ("-o", "worker.keep_images=true", "-o", "worker.env.OMP_NUM_THREADS=1")
TINY = "tiny_DDIM_4"


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoNodes]:
    made = TwoNodes(tmp_path_factory.mktemp("ray"))
    yield made
    made.close()


@dataclass(frozen=True)
class Finished:
    """A work directory with a command grid, of which one task has failed, and the tiny traversal."""

    work: RayWork
    exit_code: int
    text: str


@pytest.fixture(scope="module")
def finished(nodes: TwoNodes) -> Finished:
    work = nodes.work("finished")
    work.shell(
        f"echo seen $CUDA_VISIBLE_DEVICES\ntest $T = good || test -e {work.folder}/fixed || exit 3",
        ["good", "bad"],
        retry={"max_attempts": 1},
        gpus={"samples": 1},
        worker={"env": {"OMP_NUM_THREADS": "1"}},
        cluster={"scratch": str(nodes.scratch)},
    )
    # Given an attempt that an earlier run of this work directory has given up
    stale = nodes.scratch / "accsearch-attempt-0"
    stale.mkdir()
    (stale / "owner").write_text(f"{os.uname().nodename}:{work.root}")
    cluster = ("-o", f"cluster.scratch={nodes.scratch}", "-o", "worker.keep_images=true")
    with work.start_run(CI, "-o", "worker.env.OMP_NUM_THREADS=1", *cluster) as program:
        return Finished(work, program.end(PATIENCE), program.text)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work directory in which this machine ran the tiny traversal."""
    folder = tmp_path_factory.mktemp("local")
    ended = accsearch("run", CI, "--gpus", "none", *IMAGES, folder=folder)
    assert ended.returncode == 0, ended.stderr
    return folder


def test_an_actor_is_made_where_its_pipeline_ran_unless_that_node_is_full(nodes: TwoNodes) -> None:
    from ray import get

    from accsearch.executors.ray import RayExecutor

    config = build_config(
        {"name": "c", "grid": {"pipe": ["p"]}, "worker": {"kind": "command", "command": ["true", "{pipe}"]}}
    )
    (task,) = expand(config).tasks
    setup = Setup(WorkDir(nodes.folder), [config], True, None, nodes.address, print)
    executor = open_executor("ray", setup)
    assert isinstance(executor, RayExecutor) and executor.capacity() == 2
    job = Job(
        task,
        1,
        "n",
        [],
        {},
        "/",
        WorkDir(nodes.folder).task("c", task.id),
        Path(),
        None,
        None,
        None,
        None,
        5.0,
    )
    executor.settled(job, nodes.second_id)

    first = executor.place(job)
    where = get(first.facts.remote())[0]
    elsewhere = get(executor.place(job).facts.remote())[0]
    executor.close()

    assert where == nodes.second_id != elsewhere


def test_what_tasks_leave_comes_to_the_work_directory(finished: Finished, nodes: TwoNodes) -> None:
    work = finished.work
    rows = {row["id"]: row for row in work.status()["tasks"]}

    assert finished.exit_code == 1, finished.text
    assert {name: row["state"] for name, row in rows.items()} == {
        "good": "done", "bad": "failed", TINY: "done",
    }  # fmt: skip
    assert rows["good"]["gpu"] in (nodes.standin.uuid(0), nodes.standin.uuid(1))
    assert work.log("good") == f"seen {rows['good']['gpu']}\nfinished good\n"
    assert (rows["bad"]["reason"], rows["bad"]["host"]) == ("error", os.uname().nodename)
    assert work.marker("good.exit")["exit_code"] == 0
    # Then nothing of them is left on the nodes, nor of what was there before
    assert list(nodes.scratch.iterdir()) == []


def test_a_traversal_has_the_trials_and_the_images_of_a_local_run(finished: Finished, local: Path) -> None:
    ours, theirs = finished.work.root / "results/ci", local / "results/ci"

    assert trials(ours) == trials(theirs)
    assert images(ours) == images(theirs)
    assert len(images(ours)) == 2 * len(trials(ours))


def test_a_retry_goes_to_the_cluster_and_waits_for_a_gpu_that_is_busy(
    finished: Finished, nodes: TwoNodes
) -> None:
    # Given GPUs that somebody else uses, unseen by Ray
    work = finished.work
    (work.folder / "fixed").touch()
    for gpu in (0, 1):
        nodes.standin.set_gpu(gpu, utilization=99)

    # When the run is terminated while it waits for one, then it ends as any other
    with work.start("retry", "--failed") as program:
        program.await_line("utilisation 99 %")
        os.kill(program.pid, signal.SIGTERM)
        assert program.end(PATIENCE) == 143, program.text
    # When they are free again, then the task is done
    with work.start("retry", "--failed") as program:
        program.await_line("utilisation 99 %")
        for gpu in (0, 1):
            nodes.standin.set_gpu(gpu, utilization=0)
        exit_code = program.end(PATIENCE)

    assert exit_code == 0, program.text
    assert work.states() == {"good": "done", "bad": "done", TINY: "done"}
    assert work.marker("bad.done")["attempt"] == 2  # what was sent back is none


def test_attempts_outlive_the_driver_and_a_stop_ends_them_and_a_lost_node_costs_nothing(
    nodes: TwoNodes,
) -> None:
    work = nodes.work("faults")
    gate = Gate(work.folder, "gate")
    work.shell(
        f"echo at work\n{gate.script()}",
        ["a", "b", "c"],
        retry={"max_attempts": 1, "backoff": "0s"},
        gpus={"samples": 1},
        cluster={"scratch": str(nodes.scratch)},
    )
    # Given a driver that is killed while two tasks are at work
    with work.start_run() as program:
        workers = gate.arrivals(2)
        first, second = workers
        running = {row["id"]: row for row in work.status()["tasks"] if row["state"] == "running"}
        os.kill(program.pid, signal.SIGKILL)
        program.end()
    assert running.keys() == workers.keys()
    assert all(row["host"] == os.uname().nodename and row["job_id"] for row in running.values())

    # When it is started again, then it takes both up
    with work.start_run() as program:
        for _ in workers:
            program.await_line("still at work from an earlier run")
        assert all(map(is_alive, workers.values()))
        gate.open(1)
        third = gate.arrivals(1)
        # and a stop ends what is at work on the nodes
        assert work.start("stop", "--now").end() == 0
        assert program.end(PATIENCE) == 130, program.text
    (done,) = work.markers("done")
    assert done in workers and work.marker(f"{done}.done")["attempt"] == 1
    assert work.log(done) == f"at work\nfinished {done}\n"
    for pid in (*workers.values(), *third.values()):
        await_end(pid)
    assert work.markers("running") == []

    # When a node is lost, then its task runs again on the other one, as the only attempt that counts
    with work.start_run() as program:
        before = gate.arrivals(2)
        nodes.lose_second()
        lost = program.await_line("it runs again").partition(":")[0].removeprefix("c/")
        await_end(before[lost])
        gate.open(1)
        assert gate.arrivals(1).keys() == {lost}
        gate.open(1)
        assert program.end(PATIENCE) == 0, program.text
    gate.close()
    assert set(work.states().values()) == {"done"}
    assert list(nodes.scratch.iterdir()) == []
    assert first != second


def trials(folder: Path) -> dict[str, str]:
    """Return the trials of a results file, each with its status; under load some are timed again."""
    lines = map(json.loads, (folder / f"{TINY}.jsonl").read_text().splitlines())
    return {line["trial"]: line["status"] for line in lines}


def images(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes() for path in sorted((folder / TINY).rglob("*.png"))
    }
