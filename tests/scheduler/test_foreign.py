"""Attempts on other hosts: awaited, judged, taken over; time is passed in."""

from pathlib import Path

import pytest

from accsearch.checkpoint.heartbeat import LOOK, SILENCE, Watch, renew, with_beat
from accsearch.checkpoint.markers import Exit, Running, write_exit, write_running
from accsearch.config.load import build_config
from accsearch.grid import expand
from accsearch.scheduler.foreign import ForeignAttempts
from accsearch.scheduler.policy import Tries
from accsearch.scheduler.slots.queued import QueuedTask
from accsearch.workdir import WorkDir

CONFIG = build_config(
    {"name": "c", "grid": {"n": ["a"]}, "worker": {"kind": "command", "command": ["true", "{n}"]}}
)
WHEN = "2026-01-01T00:00:00.000+00:00"
RUNNING = Running(
    task="a", pid=1, create_time=1.0, keeper_pid=1, keeper_create_time=1.0, host="pod-a", attempt=3, nonce="n3",
    started_at=WHEN,
)  # fmt: skip


@pytest.fixture
def queued(tmp_path: Path) -> QueuedTask:
    workdir = WorkDir(tmp_path)
    workdir.create("c")
    task = expand(CONFIG).tasks[0]
    made = QueuedTask(task, CONFIG, workdir.task("c", task.id), frozenset(), Tries())
    write_running(made.paths.running, RUNNING)
    return made


@pytest.fixture
def foreign(queued: QueuedTask) -> ForeignAttempts:
    made = ForeignAttempts(Watch())
    made.add(queued, RUNNING)
    return made


def test_one_that_is_silent_is_taken_over_and_not_before(foreign: ForeignAttempts) -> None:
    now = 500.0
    while not (settled := foreign.step(now)):
        assert len(foreign) == 1
        assert foreign.next_look(now) == LOOK
        now += LOOK
    assert now == 500.0 + SILENCE
    assert settled[0].ended is None and "no sign of life from host pod-a for 60 s" in settled[0].why
    assert len(foreign) == 0 and foreign.next_look(now) is None


def test_one_that_lives_is_awaited_and_judged(foreign: ForeignAttempts, queued: QueuedTask) -> None:
    for number in range(200):
        renew(queued.paths.running, "n3", with_beat({"nonce": "n3"}, number // 2))
        assert foreign.step(number * LOOK) == []
    write_running(queued.paths.running, RUNNING)
    write_exit(queued.paths.exit, Exit(attempt=3, nonce="n3", finished_at=WHEN, exit_code=0))
    (settled,) = foreign.step(1000.0)
    assert settled.ended is not None and settled.ended.exit.exit_code == 0
    assert settled.running.host == "pod-a"


def test_the_end_of_another_attempt_is_not_its_end(foreign: ForeignAttempts, queued: QueuedTask) -> None:
    write_exit(queued.paths.exit, Exit(attempt=2, nonce="n2", finished_at=WHEN, exit_code=0))
    assert foreign.step(0.0) == []


def test_one_that_was_freed_is_settled_at_once(foreign: ForeignAttempts, queued: QueuedTask) -> None:
    queued.paths.running.unlink()
    (settled,) = foreign.step(0.0)
    assert (settled.ended, settled.why) == (None, "freed from host pod-a")
