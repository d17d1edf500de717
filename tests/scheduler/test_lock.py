"""One scheduler per work directory."""

import json
import os
import select
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accsearch.checkpoint import heartbeat
from accsearch.checkpoint.heartbeat import LOOK, SILENCE, Watch
from accsearch.checkpoint.ownership import read_holder
from accsearch.errors import TakenOverError, UsageError
from accsearch.process_identity import boot_id, host_name, pid_namespace, process_identity
from accsearch.scheduler.lock import Waiter, locked
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


class Time:
    """A clock that goes on by sleeping alone; `then` is done at each sleep."""

    def __init__(self, then: Callable[[], None] = lambda: None, pace: float = 1.0) -> None:
        self.now = 1000.0
        self.said: list[str] = []
        self._then = then
        self._pace = pace

    def sleep(self, seconds: float) -> None:
        self.now += seconds * self._pace
        self._then()

    def waiter(self) -> Waiter:
        return Waiter(Watch(), self.said.append, lambda: self.now, self.sleep)


def foreign(workdir: WorkDir, **changes: Any) -> None:
    """Leave the lock file of a scheduler of another host."""
    workdir.checkpoints.mkdir(exist_ok=True)
    content = {"pid": 7, "create_time": 1.0, "identity": f"{boot_id()}:1", "host": "pod-a", "namespace": "1"}
    workdir.lock.write_text(json.dumps(content | changes))


ELSEWHERE = [
    {},
    {"identity": "another-boot:1", "namespace": None},
    {"host": host_name()},
    {"host": host_name(), "identity": "another-boot:1", "namespace": pid_namespace()},
]


@pytest.mark.parametrize("changes", ELSEWHERE)
def test_a_holder_elsewhere_that_is_silent_is_taken_over(tmp_path: Path, changes: dict[str, Any]) -> None:
    workdir, time = WorkDir(tmp_path), Time()
    foreign(workdir, **changes)
    with locked(workdir, time.waiter()):
        assert time.now - 1000.0 == pytest.approx(SILENCE, abs=LOOK)
        holder = read_holder(workdir)
        assert holder is not None and holder.pid == os.getpid() and holder.is_here
    assert "sign of life" in time.said[0]
    assert not workdir.lock.exists()


@pytest.mark.parametrize("changes", ELSEWHERE)
def test_a_holder_elsewhere_that_lives_is_not(tmp_path: Path, changes: dict[str, Any]) -> None:
    workdir = WorkDir(tmp_path)
    beats = iter(range(1000))
    time = Time(lambda: None if next(beats) < 20 else foreign(workdir, **changes, beat="2"))
    foreign(workdir, **changes)
    host = changes.get("host", "pod-a")
    with (
        pytest.raises(UsageError, match=rf"pid 7.*accsearch stop --host {host}"),
        locked(workdir, time.waiter()),
    ):
        pass
    assert "beat" in workdir.lock.read_text()


def test_a_taker_that_slept_has_seen_no_silence(tmp_path: Path) -> None:
    workdir, time = WorkDir(tmp_path), Time(pace=1000.0)
    foreign(workdir)
    with locked(workdir, time.waiter()):
        assert time.now - 1000.0 > 10 * SILENCE


def test_a_holder_elsewhere_that_ends_meanwhile_is_no_obstacle(tmp_path: Path) -> None:
    workdir = WorkDir(tmp_path)
    time = Time(lambda: workdir.lock.unlink(missing_ok=True))
    foreign(workdir)
    with locked(workdir, time.waiter()):
        assert time.now - 1000.0 < SILENCE


def test_a_file_without_a_name_is_waited_for_shortly(tmp_path: Path) -> None:
    workdir, time = WorkDir(tmp_path), Time()
    workdir.checkpoints.mkdir()
    workdir.lock.touch()
    with locked(workdir, time.waiter()):
        assert 0 < time.now - 1000.0 < 10


def test_a_living_holder_of_this_host_is_refused_where_files_cannot_be_locked(tmp_path: Path) -> None:
    workdir, parent = WorkDir(tmp_path), os.getppid()
    foreign(
        workdir, pid=parent, identity=process_identity(parent), host=host_name(), namespace=pid_namespace()
    )
    with pytest.raises(UsageError, match=f"pid {parent}"), locked(workdir):
        pass


def test_a_lock_that_was_taken_over_is_noticed_and_left_alone(tmp_path: Path) -> None:
    workdir = WorkDir(tmp_path)
    with locked(workdir) as lock:
        lock.check()
        assert lock.beat()
        foreign(workdir)
        assert not lock.beat()
        with pytest.raises(TakenOverError, match="pid 7 on host pod-a"):
            lock.check()
    holder = read_holder(workdir)
    assert holder is not None and holder.host == "pod-a"


def test_a_lock_that_was_removed_is_noticed(tmp_path: Path) -> None:
    workdir = WorkDir(tmp_path)
    with locked(workdir) as lock:
        workdir.lock.unlink()
        with pytest.raises(TakenOverError, match="nobody's"):
            lock.check()


def test_a_held_lock_gives_signs_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "BEAT", 0.01)
    workdir = WorkDir(tmp_path)
    with locked(workdir) as lock:
        watch, now = Watch(), 0.0
        while not watch.is_alive(workdir.lock):
            watch.look(workdir.lock, now)
            now += 1.0
        foreign(workdir)
        assert select.select([lock], [], [], 30)[0]
