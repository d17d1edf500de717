"""One scheduler per work directory."""

import os
from pathlib import Path

import pytest

from accsearch.errors import UsageError
from accsearch.scheduler.lock import locked, read_holder
from accsearch.workdir import WorkDir


def test_a_second_holder_is_refused_with_the_pid_of_the_first(tmp_path: Path) -> None:
    workdir = WorkDir(tmp_path)
    with locked(workdir), pytest.raises(UsageError, match=f"pid {os.getpid()}"), locked(workdir):
        pass


def test_nothing_is_left_afterwards(tmp_path: Path) -> None:
    workdir = WorkDir(tmp_path)
    with locked(workdir):
        holder = read_holder(workdir)
        assert holder is not None
        assert holder.is_alive()
    assert read_holder(workdir) is None
    assert not workdir.lock.exists()


def test_a_dead_holders_file_is_no_obstacle(tmp_path: Path) -> None:
    workdir = WorkDir(tmp_path)
    workdir.checkpoints.mkdir()
    workdir.lock.write_text('{"pid": 1, "create_time": 0.0, "identity": "another boot:1"}')
    holder = read_holder(workdir)
    assert holder is not None
    assert not holder.is_alive()
    with locked(workdir):
        pass
