"""The GPU that a cluster gives: leased only where it is idle, looked at again between tasks."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from tests.standin import GIB, StandIn

pytestmark = pytest.mark.process

# Reserves its GPU for each line of its input that says so, and gives it back for any other.
PROGRAM = """
import json, pathlib, sys
from accsearch.config.schema import GpuConfig
from accsearch.gpus.node_gpu import NodeGpu
gpu = NodeGpu(GpuConfig(samples=1, release_timeout=0.2, exclude=json.loads(sys.argv[1])))
for line in sys.stdin:
    why = gpu.reserve(pathlib.Path("/work"), lambda: False) if line == "reserve\\n" else gpu.close()
    print(json.dumps({"why": why, "uuid": gpu.uuid, "leased": gpu.lease is not None}), flush=True)
"""


class Node:
    """A process on a node that was given some GPUs."""

    def __init__(self, standin: StandIn, visible: str, exclude: tuple[str, ...] = ()) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, json.dumps(exclude)],
            env=standin.environment() | {"CUDA_VISIBLE_DEVICES": visible},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, what: str = "reserve") -> dict[str, Any]:
        assert self.process.stdin is not None and self.process.stdout is not None
        print(what, file=self.process.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def close(self) -> None:
        self.process.communicate()


@pytest.fixture
def node(standin: StandIn) -> Iterator[Node]:
    made = Node(standin, "1")
    yield made
    made.close()


def test_an_idle_gpu_is_leased_and_refused_to_others(node: Node, standin: StandIn) -> None:
    assert node.ask() == {"why": None, "uuid": standin.uuid(1), "leased": True}
    # When another process of this machine is given the same GPU
    other = Node(standin, "1")
    refused = other.ask()
    # Then it is refused until the first gives it back
    assert refused["why"].startswith("GPU 1: leased by ") and f"pid {node.process.pid}" in refused["why"]
    assert not refused["leased"]
    node.ask("close")
    assert other.ask()["why"] is None
    other.close()


def test_a_busy_gpu_is_refused_and_not_kept(node: Node, standin: StandIn) -> None:
    standin.set_gpu(1, utilization=99)
    assert node.ask() == {"why": "GPU 1: utilisation 99 %", "uuid": standin.uuid(1), "leased": False}

    standin.set_gpu(1, utilization=0)
    assert node.ask()["why"] is None


def test_between_tasks_memory_and_strangers_count_and_the_average_does_not(
    node: Node, standin: StandIn
) -> None:
    node.ask()
    # Given what the worker before leaves for a moment: an average
    standin.set_gpu(1, utilization=80)
    assert node.ask() == {"why": None, "uuid": standin.uuid(1), "leased": True}

    standin.set_gpu(1, processes={os.getpid(): 2 * GIB})
    found = node.ask()

    assert found["why"].startswith("GPU 1: taken by another process by pid")
    assert not found["leased"]


def test_memory_that_is_not_given_back_is_waited_for_and_then_refused(node: Node, standin: StandIn) -> None:
    node.ask()
    standin.set_gpu(1, used=5 * GIB)

    assert node.ask()["why"] == "GPU 1: 5.0 GiB in use"


def test_a_lost_gpu_is_refused(node: Node, standin: StandIn) -> None:
    node.ask()
    standin.lose(1)

    assert "lost" in node.ask()["why"].lower()


@pytest.mark.parametrize(
    ("visible", "exclude", "why"),
    [
        ("7", (), "the driver knows no GPU of CUDA_VISIBLE_DEVICES=7"),
        ("1", ("1",), "GPU 1 is excluded by the configuration (gpus.exclude)"),
    ],
)
def test_what_may_not_be_used_is_said(
    standin: StandIn, visible: str, exclude: tuple[str, ...], why: str
) -> None:
    node = Node(standin, visible, exclude)
    assert node.ask() == {"why": why, "uuid": None, "leased": False}
    node.close()


def test_a_node_without_a_driver_is_refused() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
    program = PROGRAM.replace("for line in sys.stdin", "for line in ['reserve\\n']")
    ended = subprocess.run(
        [sys.executable, "-c", program, "[]"], env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(ended.stdout)["why"]
