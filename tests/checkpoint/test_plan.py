import json

import pytest

from accsearch.checkpoint.plan import load_plan, store_plan
from accsearch.errors import UsageError


def test_a_stored_plan_comes_back(traversal):
    store_plan(traversal.workdir, traversal.grid, {"gpus": "none", "slots": 2}, "demo.yaml", "/somewhere")

    plan = load_plan(traversal.workdir, "C")

    assert plan.grid == traversal.grid
    assert (plan.launch, plan.cwd, plan.config_file) == (
        {"gpus": "none", "slots": 2},
        "/somewhere",
        "demo.yaml",
    )
    assert traversal.workdir.configs() == ["C"]


def test_every_task_is_written(command):
    store_plan(command.workdir, command.grid, {}, None, ".")

    written = json.loads(command.workdir.plan("C").read_text())

    assert [(each["id"], each["digest"]) for each in written["tasks"]] == [
        (task.id, task.digest) for task in command.grid.tasks
    ]


def test_an_equal_plan_is_not_written_again(command):
    store_plan(command.workdir, command.grid, {}, None, ".")
    before = command.workdir.plan("C").stat().st_ino

    store_plan(command.workdir, command.grid, {}, None, ".")
    same = command.workdir.plan("C").stat().st_ino
    store_plan(command.workdir, command.grid, {"slots": 3}, None, ".")

    assert same == before
    assert command.workdir.plan("C").stat().st_ino != before


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"", "damaged"), (b"[]", "damaged"), (b'{"schema": 2}', "newer version"), (b"{}", "newer version")],
)
def test_a_plan_that_cannot_be_read_says_so(command, data, message):
    command.workdir.plan("C").write_bytes(data)

    with pytest.raises(UsageError, match=message):
        load_plan(command.workdir, "C")


def test_no_plan_says_what_to_do(command):
    with pytest.raises(UsageError, match="run the configuration first"):
        load_plan(command.workdir, "D")
