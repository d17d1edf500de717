"""What killed writers leave is removed; what living ones write is not."""

import os
import subprocess
from pathlib import Path

import pytest

from accsearch.checkpoint.markers import Running, write_running
from accsearch.scheduler.sweep import sweep
from accsearch.workdir import WorkDir

pytestmark = pytest.mark.process


def test_only_files_that_nobody_writes_any_more_are_removed(tmp_path: Path) -> None:
    # Given temporary files of a dead process, of this one (an earlier one of its pid), and of a living one
    workdir = WorkDir(tmp_path)
    workdir.create("c")
    folder = workdir.checkpoints / "c"
    dead = subprocess.Popen(["true"])
    dead.wait()
    for pid in (dead.pid, os.getpid(), os.getppid()):
        (folder / f"a.done.{pid}.tmp").touch()
    (folder / "a.done").touch()
    (workdir.checkpoints / f".waiting.json.{dead.pid}.tmp").touch()
    workdir.waiting.touch()
    # When swept
    sweep(workdir, ["c"])
    # Then only the living one's, and what is no temporary file, are left
    assert sorted(path.name for path in folder.iterdir()) == ["a.done", f"a.done.{os.getppid()}.tmp"]
    assert not [path for path in workdir.checkpoints.iterdir() if path.is_file()]


def test_what_another_host_may_be_writing_is_left(tmp_path: Path) -> None:
    workdir = WorkDir(tmp_path)
    workdir.create("c")
    folder = workdir.checkpoints / "c"
    dead = subprocess.Popen(["true"])
    dead.wait()
    for task, host in (("a", "pod-a"), ("b", os.uname().nodename)):
        running = Running(
            task=task, pid=1, create_time=1.0, keeper_pid=1, keeper_create_time=1.0, host=host, attempt=1,
            nonce=task, started_at="2026-01-01T00:00:00+00:00",
        )  # fmt: skip
        write_running(folder / f"{task}.running", running)
        (folder / f"{task}.exit.{dead.pid}.tmp").touch()
    sweep(workdir, ["c"])
    assert [path.name for path in folder.glob("*.tmp")] == [f"a.exit.{dead.pid}.tmp"]
