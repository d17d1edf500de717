"""When a search gives its GPU back to another process."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence

import pytest
from tests.standin import GIB, StandIn

from accsearch.gpus.pinning import TOLERATED
from accsearch.task import WorkerExit
from accsearch.worker.fatal_errors import TaskEnded
from accsearch.worker.gpu_return import (
    LONGEST,
    PATIENCE,
    SHORTEST,
    leave_if_taken_before_first_trial,
    own_processes,
)

OWN = os.getpid()
OLDER = os.getppid()
NOT_HERE = 4_000_000  # of another pid namespace
BEFORE_CUDA = """
from accsearch.worker.fatal_errors import TaskEnded
from accsearch.worker.gpu_return import leave_if_taken_before_cuda
try:
    leave_if_taken_before_cuda()
    print("stays")
except TaskEnded as error:
    print(error.code, error)
"""


@pytest.fixture
def younger() -> Iterator[int]:
    """A process that was started after this one."""
    with subprocess.Popen(["setsid", "sleep", "600"], start_new_session=True) as process:
        yield process.pid
        process.kill()


@pytest.fixture
def tolerated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOLERATED, "77,78")


def wait_beside(looks: Sequence[set[int]], before: set[int]) -> float:
    """Return the seconds waited until the GPU was this process's; the last of `looks` stays."""
    waited: list[float] = []

    def listed() -> frozenset[int]:
        return frozenset(looks[min(len(waited), len(looks) - 1)])

    leave_if_taken_before_first_trial(frozenset(before), listed, waited.append)
    return sum(waited)


def test_who_is_alone_stays(tolerated: None) -> None:
    assert wait_beside([{OWN}], set()) == 0
    assert wait_beside([{OWN, 77}], {77}) == 0
    # Under the number that the host gives it
    assert wait_beside([{NOT_HERE, 77}], {77}) == 0
    assert wait_beside([set()], set()) == 0


def test_an_older_process_gets_the_gpu_at_once(tolerated: None) -> None:
    with pytest.raises(TaskEnded, match=f"pid {OLDER}") as ended:
        wait_beside([{OWN, OLDER}], set())
    assert ended.value.code == WorkerExit.GPU_TAKEN


def descendant_of_init() -> subprocess.Popen[str]:
    """Start a process that is younger than this one and no child of it."""
    program = "sleep 600 & echo $!"
    return subprocess.Popen(["sh", "-c", program], stdout=subprocess.PIPE, text=True)


def test_a_younger_process_is_given_time_to_leave(tolerated: None) -> None:
    with descendant_of_init() as shell:
        assert shell.stdout is not None
        stranger = int(shell.stdout.readline())
        shell.wait()
        try:
            assert wait_beside([{OWN, stranger}] * 4 + [{OWN}], set()) == 2.0
            # It does not leave: it may have measured already
            with pytest.raises(TaskEnded):
                wait_beside([{OWN, stranger}], set())
        finally:
            os.kill(stranger, 9)


def test_children_are_no_strangers(tolerated: None, younger: int) -> None:
    assert wait_beside([{OWN, younger}], set()) == 0
    assert own_processes(frozenset({OWN, younger, OLDER}), frozenset()) == {OWN, younger}
    assert own_processes(frozenset({NOT_HERE, OLDER}), frozenset({OLDER})) == {NOT_HERE}


def test_unknown_newcomers_draw_lots(tolerated: None) -> None:
    waited: list[float] = []
    two = frozenset({NOT_HERE, NOT_HERE + 1})
    with pytest.raises(TaskEnded):
        leave_if_taken_before_first_trial(frozenset(), lambda: two, waited.append)
    assert SHORTEST <= sum(waited) <= LONGEST + 1 < PATIENCE
    # The other one gave up first
    assert wait_beside([{NOT_HERE, NOT_HERE + 1}, {NOT_HERE}], set()) > 0


def test_without_a_scheduler_nothing_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOLERATED, raising=False)
    assert wait_beside([{OWN, OLDER}], set()) == 0


@pytest.mark.parametrize(
    ("variables", "said"),
    [({TOLERATED: ""}, f"{WorkerExit.GPU_TAKEN} another"), ({TOLERATED: "1,2"}, "stays"), ({}, "stays")],
)
def test_who_is_there_before_cuda_is_asked_of_the_driver(
    standin: StandIn, variables: dict[str, str], said: str
) -> None:
    standin.set_gpu(1, processes={1: GIB}, graphics={9: GIB})
    env = standin.environment() | {"CUDA_VISIBLE_DEVICES": standin.uuid(1)} | variables
    command = [sys.executable, "-c", BEFORE_CUDA]
    ended = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert ended.stdout.startswith(said), ended.stdout
