"""The thread that judges ended attempts."""

import select
from pathlib import Path

import pytest

from accsearch.checkpoint.markers import Exit, Running
from accsearch.config.load import build_config
from accsearch.errors import TakenOverError
from accsearch.executors.protocol import Ended
from accsearch.grid import expand
from accsearch.scheduler.entry import Entry
from accsearch.scheduler.policy import Tries
from accsearch.scheduler.recorder import Recorded, Recorder
from accsearch.workdir import WorkDir

CONFIG = build_config(
    {"name": "c", "grid": {"n": ["a"]}, "worker": {"kind": "command", "command": ["true", "{n}"]}}
)
WHEN = "2026-01-01T00:00:00.000+00:00"
ENDED = Ended(
    Exit(attempt=1, nonce="1", finished_at=WHEN, exit_code=3, seconds=1.0),
    Running(
        task="a",
        pid=1,
        create_time=1.0,
        keeper_pid=1,
        keeper_create_time=1.0,
        host="h",
        attempt=1,
        nonce="1",
        started_at=WHEN,
    ),
)


def outcome(recorder: Recorder) -> object:
    assert select.select([recorder], [], [], 30)[0]
    (found,) = recorder.read()
    return found


def entry(workdir: WorkDir) -> Entry:
    workdir.create("c")
    task = expand(CONFIG).tasks[0]
    return Entry(task, CONFIG, workdir.task("c", task.id), frozenset(), Tries())


def test_an_outcome_is_on_disk_once_it_is_read(tmp_path: Path) -> None:
    made = entry(WorkDir(tmp_path))
    recorder = Recorder(WorkDir(tmp_path))
    recorder.submit(made, ENDED, None)

    found = outcome(recorder)

    assert isinstance(found, Recorded)
    assert found.retry
    assert made.paths.failed.exists()
    recorder.close()


def test_what_ends_the_thread_is_raised_in_the_loop(tmp_path: Path) -> None:
    made = entry(WorkDir(tmp_path))
    made.tries = None  # type: ignore[assignment]
    recorder = Recorder(WorkDir(tmp_path))
    recorder.submit(made, ENDED, None)

    with pytest.raises(AttributeError, match="NoneType"):
        outcome(recorder)

    recorder.close()


def test_nothing_is_recorded_over_what_another_host_has_taken(tmp_path: Path) -> None:
    made = entry(WorkDir(tmp_path))

    def taken() -> None:
        raise TakenOverError("taken")

    recorder = Recorder(WorkDir(tmp_path), taken)
    recorder.submit(made, ENDED, None)

    with pytest.raises(TakenOverError):
        outcome(recorder)

    recorder.close()
    assert not made.paths.failed.exists()
