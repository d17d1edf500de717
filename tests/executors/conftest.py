"""Fixtures of the tests that run jobs by a real keeper on this machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from accsearch.executors.forkserver import ForkServer
from accsearch.executors.local import KeptRunner
from accsearch.workdir import TaskPaths, WorkDir


@pytest.fixture
def paths(tmp_path: Path) -> TaskPaths:
    workdir = WorkDir(tmp_path / "work")
    workdir.create("c")
    return workdir.task("c", "T")


@pytest.fixture
def server() -> Iterator[ForkServer]:
    started = ForkServer()
    yield started
    started.close()


@pytest.fixture
def runner(server: ForkServer) -> Iterator[KeptRunner]:
    kept = KeptRunner(server, None)
    yield kept
    kept.close()
