"""What the live table of a run counts."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from accsearch.checkpoint.markers import Failed
from accsearch.cli.progress import LiveTable
from accsearch.config.load import build_config
from accsearch.grid import Grid, expand
from accsearch.scheduler.options import Silent
from accsearch.scheduler.waiting import Waiting
from accsearch.task import FailureReason, Task
from accsearch.workdir import WorkDir


@pytest.fixture
def grid() -> Grid:
    worker = {"kind": "command", "command": ["true", "{n}"]}
    return expand(build_config({"grid": {"n": list("abcdef")}, "worker": worker}, name="c"))


def shown(table: LiveTable) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=100).print(table.render())
    return [line.strip() for line in out.getvalue().splitlines()]


def failed(task: Task) -> Failed:
    return Failed(
        task=task.id, config="c", digest="d", attempt=1, reason=FailureReason.ERROR, message="no", gpu=None,
        log="l", finished_at="2026-01-01T00:00:00+00:00",
    )  # fmt: skip


def test_tasks_are_counted_and_not_reasons_or_attempts(tmp_path: Path, grid: Grid) -> None:
    table = LiveTable(WorkDir(tmp_path), [grid])
    one, two = grid.tasks[:2]
    table.started(one, None)
    table.started(two, None)
    table.waiting({"*": "one of 2 slots"}, 4)
    assert shown(table)[-2:] == ["2 running, 4 waiting, 0 ended", "waiting: one of 2 slots"]

    # One fails and is to be tried again: it waits, and has not ended
    table.ended(one, failed(one))
    table.waiting({one.name: "its turn again", "*": "one of 2 slots"}, 5)
    assert "1 running, 5 waiting, 0 ended" in shown(table)

    # The others have ended, and it is at work again
    for task in grid.tasks[1:]:
        table.started(task, None)
        table.ended(task, failed(task))
    table.started(one, None)
    table.waiting({}, 0)
    assert shown(table)[-1] == "1 running, 0 waiting, 5 ended"


def test_an_observer_hears_when_nothing_waits_any_more(tmp_path: Path) -> None:
    received = []

    class Observer(Silent):
        def waiting(self, reasons: object, tasks: int) -> None:
            received.append((reasons, tasks))

    workdir = WorkDir(tmp_path)
    workdir.create("c")
    waiting = Waiting(workdir, Observer())
    for count in (2, 2, 1, 0, 0):
        waiting.report({}, "a slot", count, {})

    assert received == [({"*": "a slot"}, 2), ({"*": "a slot"}, 1), ({}, 0)]
