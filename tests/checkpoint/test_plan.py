import json

import pytest

from accsearch.checkpoint.plan import load_plan, replaced_file, store_plan
from accsearch.config.load import load_config
from accsearch.errors import UsageError
from accsearch.grid import expand
from accsearch.workdir import WorkDir


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


def test_another_file_of_the_same_name_is_said_until_it_is_gone(tmp_path):
    workdir = WorkDir(tmp_path)
    text = "name: same\ngrid: {n: [%d]}\nworker: {kind: command, command: [echo]}\n"
    first, copy, other = (tmp_path / f"{name}.yaml" for name in ("first", "copy", "other"))
    first.write_text(text % 1)
    copy.write_text(text % 1)
    other.write_text(text % 2)
    grid = expand(load_config(first))
    workdir.create("same")
    assert replaced_file(workdir, grid) is None
    store_plan(workdir, grid, {}, grid.config.facts.file, tmp_path)

    assert replaced_file(workdir, expand(load_config(first, ["grid.n=[3]"]))) is None
    assert replaced_file(workdir, expand(load_config(copy))) is None
    assert replaced_file(workdir, expand(load_config(other))) == str(first)
    first.unlink()
    assert replaced_file(workdir, expand(load_config(other))) is None
