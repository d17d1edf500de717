"""Fixtures of the fault tests."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.clock import WallClock
from tests.faults.program import Gate, Work, processes_of
from tests.standin import StandIn


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    """A work directory without GPUs; whatever a failed test leaves running is killed."""
    yield from _work(tmp_path, dict(os.environ) | {"ACCSEARCH_LEASES": str(tmp_path / "leases")})


@pytest.fixture
def gpu_work(tmp_path: Path, standin: StandIn) -> Iterator[Work]:
    """A work directory on a pretended machine with two GPUs."""
    yield from _work(tmp_path, standin.environment())


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    made = Gate(tmp_path, "gate")
    yield made
    made.close()


@pytest.fixture
def wall_clock(tmp_path: Path) -> WallClock:
    return WallClock(tmp_path)


def _work(folder: Path, env: dict[str, str]) -> Iterator[Work]:
    work = Work(folder, env | {"FAULT_TEST": str(folder)})
    yield work
    for pid in processes_of(folder):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
