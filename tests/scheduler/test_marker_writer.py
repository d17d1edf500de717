"""The thread that judges ended attempts."""

import select
from dataclasses import replace
from pathlib import Path

import pytest

from accsearch.checkpoint.markers import Exit, Running
from accsearch.config.load import build_config
from accsearch.errors import TakenOverError
from accsearch.executors.executor import Ended
from accsearch.grid import expand
from accsearch.result_lines.file import append
from accsearch.result_lines.line import ResultLine
from accsearch.scheduler.marker_writer import MarkerWriter, Recorded
from accsearch.scheduler.policy import Tries
from accsearch.scheduler.slots.queued import QueuedTask
from accsearch.task import BASELINE, Trial
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


def outcome(marker_writer: MarkerWriter) -> object:
    assert select.select([marker_writer], [], [], 30)[0]
    (found,) = marker_writer.read()
    return found


def queued(workdir: WorkDir) -> QueuedTask:
    workdir.create("c")
    task = expand(CONFIG).tasks[0]
    return QueuedTask(task, CONFIG, workdir.task("c", task.id), frozenset(), Tries())


def test_an_outcome_is_on_disk_once_it_is_read(tmp_path: Path) -> None:
    made = queued(WorkDir(tmp_path))
    marker_writer = MarkerWriter(WorkDir(tmp_path))
    marker_writer.submit(made, ENDED, None)

    found = outcome(marker_writer)

    assert isinstance(found, Recorded)
    assert found.retry
    assert made.paths.failed.exists()
    marker_writer.close()


def test_what_ends_the_thread_is_raised_in_the_loop(tmp_path: Path) -> None:
    made = queued(WorkDir(tmp_path))
    made.tries = None  # type: ignore[assignment]
    marker_writer = MarkerWriter(WorkDir(tmp_path))
    marker_writer.submit(made, ENDED, None)

    with pytest.raises(AttributeError, match="NoneType"):
        outcome(marker_writer)

    marker_writer.close()


def test_nothing_is_recorded_over_what_another_host_has_taken(tmp_path: Path) -> None:
    made = queued(WorkDir(tmp_path))

    def taken() -> None:
        raise TakenOverError("taken")

    marker_writer = MarkerWriter(WorkDir(tmp_path), taken)
    marker_writer.submit(made, ENDED, None)

    with pytest.raises(TakenOverError):
        outcome(marker_writer)

    marker_writer.close()
    assert not made.paths.failed.exists()


@pytest.mark.parametrize(("trial", "uncounted"), [("tome-r0.5", 1), (BASELINE, 9)])
def test_a_search_that_was_cut_off_has_progressed_with_a_trial_beside_the_baseline(
    tmp_path: Path, trial: str, uncounted: int
) -> None:
    made = queued(WorkDir(tmp_path))
    made.task = replace(made.task, trials=(Trial(BASELINE, {}), Trial("tome-r0.5", {"tome": {"ratio": 0.5}})))
    made.tries = Tries(uncounted=8)
    line = ResultLine(task="a", trial=trial, key="k", attempt=1, methods={}, status="ok")
    append(made.paths.results, line)
    marker_writer = MarkerWriter(WorkDir(tmp_path))
    marker_writer.submit(made, ENDED, "its keeper was asked to end")

    found = outcome(marker_writer)

    assert isinstance(found, Recorded) and found.tries.uncounted == uncounted
    marker_writer.close()
