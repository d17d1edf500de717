import json
from pathlib import Path

import pytest
from tests.cli.program import CONFIG, accsearch, read_json
from tests.standin import StandIn

RUN = ("run", "words.yaml", "--gpus", "none", "--slots", "2")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "words.yaml").write_text(CONFIG)
    return tmp_path


def test_plan_starts_nothing_and_says_why(folder: Path) -> None:
    tasks = read_json("plan", "words.yaml", folder=folder)["tasks"]

    assert [(task["id"], task["action"], task["state"]) for task in tasks] == [
        (word, "run", "pending") for word in ("one", "two", "three")
    ]
    assert all(task["why"] and task["config"] == "words" and task["trials_total"] == 0 for task in tasks)
    assert not (folder / "checkpoints").exists()


def test_a_finished_grid_is_not_run_again(folder: Path) -> None:
    first = accsearch(*RUN, folder=folder)
    logs = {path.name: path.stat().st_mtime_ns for path in (folder / "logs/words").iterdir()}
    second = accsearch(*RUN, folder=folder)

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert {path.name: path.stat().st_mtime_ns for path in (folder / "logs/words").iterdir()} == logs
    assert read_json("status", folder=folder)["counts"] == {
        "pending": 0,
        "running": 0,
        "done": 3,
        "failed": 0,
    }


def test_a_failure_is_reported_and_retried_alone(folder: Path) -> None:
    (folder / "two.bad").touch()
    failed = accsearch(*RUN, folder=folder)

    assert failed.returncode == 1
    row = next(row for row in read_json("status", folder=folder)["tasks"] if row["id"] == "two")
    assert (row["state"], row["reason"]) == ("failed", "error")
    marker = json.loads((folder / "checkpoints/words/two.failed").read_text())
    assert marker["exit_code"] == 7

    (folder / "two.bad").unlink()
    done = {word: (folder / f"checkpoints/words/{word}.done").read_bytes() for word in ("one", "three")}
    retried = accsearch("retry", "--failed", folder=folder)

    assert retried.returncode == 0, retried.stderr
    assert (folder / "checkpoints/words/two.done").exists()
    assert done == {word: (folder / f"checkpoints/words/{word}.done").read_bytes() for word in done}


def test_retry_can_be_limited_to_a_reason(folder: Path) -> None:
    (folder / "two.bad").touch()
    accsearch(*RUN, folder=folder)
    (folder / "two.bad").unlink()

    ended = accsearch("retry", "--failed", "--only", "oom", folder=folder)

    assert ended.returncode == 0
    assert not (folder / "checkpoints/words/two.done").exists()


def test_logs_prints_the_log_of_a_task_by_either_name(folder: Path) -> None:
    accsearch(*RUN, folder=folder)

    by_task, by_config = (accsearch("logs", name, folder=folder) for name in ("one", "words/one"))
    followed = accsearch("logs", "one", "-f", folder=folder)

    assert by_task.stdout == by_config.stdout == followed.stdout == "one\nSuccessfully completed\n"


@pytest.mark.parametrize("gpus", [(), ("--gpus", "GPU-none-such")], ids=["any", "named"])
def test_without_a_driver_the_run_ends_with_its_own_code(folder: Path, gpus: tuple[str, ...]) -> None:
    standin = StandIn(folder / "machine", gpus=2)
    standin.errors["nvmlInitWithFlags"] = 9
    standin.write()

    ended = accsearch("run", "words.yaml", *gpus, folder=folder, env=standin.environment())

    assert ended.returncode == 3
    assert "driver is not loaded" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
