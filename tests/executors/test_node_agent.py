"""The node's end of a runner, with a real keeper and worker, without a cluster."""

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.executors.jobs import await_file, is_gone, job, python

from accsearch.checkpoint.markers import Running, decode
from accsearch.executors.copied_files import Destination
from accsearch.executors.executor import Ended, Event, RunnerGone
from accsearch.executors.node_agent import NodeAgent, Order, attempts_in, end_and_remove, root_of
from accsearch.workdir import TaskPaths

pytestmark = pytest.mark.process

AGENT = """
import pathlib, pickle, sys, time
from accsearch.executors.node_agent import NodeAgent
agent = NodeAgent(pathlib.Path(sys.argv[1]), None)
agent.start(pickle.load(sys.stdin.buffer))
time.sleep(60)
"""


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.fixture
def agent(scratch: Path) -> Iterator[NodeAgent]:
    made = NodeAgent(scratch, None)
    yield made
    made.close()


def order(paths: TaskPaths, code: str, **changes: Any) -> Order:
    given: dict[str, Any] = {"results": b"", "threads": None} | changes
    command = given.pop("argv", python(code))
    cwd = given.pop("cwd", str(paths.log.parent))
    made = job(paths, command, executor="ray", job_id="7", cwd=cwd)
    return Order(job=made, owner="here:/work", config="c", plan=b"{}", interpreter=sys.executable, **given)


def follow(agent: NodeAgent, paths: TaskPaths) -> tuple[Event, Running | None]:
    """Copy what comes until the attempt is over; return how, and the last marker."""
    marker = None
    while True:
        news = agent.poll(5.0)
        marker = news.running or marker
        for piece in news.pieces:
            Destination(paths).write(piece)
        if news.event is not None:
            return news.event, None if marker is None else decode(marker, Running)


def test_a_job_runs_in_a_folder_of_its_own_and_all_of_it_comes_back(paths: TaskPaths, scratch: Path) -> None:
    agent = NodeAgent(scratch, None)
    root = root_of(scratch, "n1")
    code = (
        "import os, pathlib; here = pathlib.Path(os.environ['ROOT'])\n"
        "print((here / 'checkpoints/c/plan.json').read_text(), os.environ['OMP_NUM_THREADS'])\n"
        "with (here / 'results/c/T.jsonl').open('a') as file: file.write('new\\n')\n"
        "(here / 'results/c/T').mkdir(); (here / 'results/c/T/0.png').write_bytes(b'image')"
    )
    paths.results.write_text("old\n")
    made = order(paths, code, results=b"old\n", threads=3, argv=["env", f"ROOT={root}", *python(code)])

    assert agent.start(made) is None
    event, running = follow(agent, paths)

    assert isinstance(event, Ended) and event.exit.exit_code == 0
    assert running is not None and (running.executor, running.job_id, running.nonce) == ("ray", "7", "n1")
    assert paths.log.read_text() == "{} 3\n"
    assert paths.results.read_text() == "old\nnew\n"
    assert (paths.images / "0.png").read_bytes() == b"image"
    # Then the folder goes with the agent
    assert attempts_in(scratch) == {"n1": "here:/work"}
    agent.close()
    assert list(scratch.iterdir()) == []


def test_the_schedulers_python_is_the_nodes_own(agent: NodeAgent, paths: TaskPaths) -> None:
    made = order(paths, "", argv=["/opt/elsewhere/python", "-c", "print('ran')"])
    there = Order(made.job, "here:/work", "c", b"{}", b"", "/opt/elsewhere/python", None)

    assert agent.start(there) is None
    assert isinstance(follow(agent, paths)[0], Ended)
    assert paths.log.read_text() == "ran\n"


def test_a_folder_that_the_node_lacks_is_replaced_by_the_attempts_own(
    agent: NodeAgent, paths: TaskPaths, scratch: Path
) -> None:
    assert agent.start(order(paths, "import os; print(os.getcwd())", cwd="/not/on/this/node")) is None
    follow(agent, paths)

    assert paths.log.read_text() == f"{root_of(scratch, 'n1')}\n"


def test_a_job_can_be_stopped(agent: NodeAgent, paths: TaskPaths, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    agent.start(order(paths, f"import time; open({str(fifo)!r}, 'w').close(); time.sleep(60)"))
    await_file(fifo)

    agent.stop()
    event, _ = follow(agent, paths)

    assert isinstance(event, Ended) and event.exit.reason == "stopped"


def test_an_attempt_outlives_its_agent_and_another_one_takes_it_up(
    paths: TaskPaths, scratch: Path, tmp_path: Path
) -> None:

    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    code = f"print('begun', flush=True); open({str(fifo)!r}, 'w').close(); print(open({str(fifo)!r}).read())"
    # Given an agent that is killed while its worker is at work
    with subprocess.Popen([sys.executable, "-c", AGENT, str(scratch)], stdin=subprocess.PIPE) as first:
        assert first.stdin is not None
        first.stdin.write(pickle.dumps(order(paths, code)))
        first.stdin.flush()
        await_file(fifo)
        first.kill()

    second = NodeAgent(scratch, None)
    assert second.adopt("c", "T", "n1", {})
    fifo.write_text("end")
    event, _ = follow(second, paths)
    second.close()

    assert isinstance(event, Ended) and event.exit.exit_code == 0
    assert paths.log.read_text() == "begun\nend\n"
    assert list(scratch.iterdir()) == []


def test_an_attempt_without_a_keepers_word_is_not_taken_up(agent: NodeAgent, scratch: Path) -> None:
    root_of(scratch, "n1").mkdir()

    assert not agent.adopt("c", "T", "n1", {})
    assert list(scratch.iterdir()) == []


def test_a_killed_keeper_is_said_and_its_worker_ended(
    agent: NodeAgent, paths: TaskPaths, tmp_path: Path
) -> None:

    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    agent.start(order(paths, f"import time; open({str(fifo)!r}, 'w').close(); time.sleep(60)"))
    await_file(fifo)
    marker = decode(next(iter_markers(agent)), Running)

    os.kill(marker.keeper_pid, signal.SIGKILL)
    event, _ = follow(agent, paths)

    assert event == RunnerGone("its keeper died")
    assert is_gone(marker.pid)


def iter_markers(agent: NodeAgent) -> Iterator[bytes]:
    while True:
        if (running := agent.poll(5.0).running) is not None:
            yield running


def test_a_new_attempt_is_cleaned_up_after_by_its_nonce(scratch: Path) -> None:
    root_of(scratch, "n1").mkdir()

    assert end_and_remove(scratch, "n1") == []
    assert list(scratch.iterdir()) == []
