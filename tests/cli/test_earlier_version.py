"""A work directory that version 0.1.0 wrote, by `run configs/ci.yaml`, is still read, and counts until it is run."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.faults.program import ACCSEARCH

HERE = Path(__file__).parent
CONFIG = HERE.parents[1] / "configs" / "ci.yaml"
TASK = "tiny_DDIM_4"


@pytest.fixture
def workdir(tmp_path: Path) -> Path:
    shutil.copytree(HERE / "workdir-0.1.0", tmp_path / "work")
    return tmp_path / "work"


def command(workdir: Path, *arguments: str) -> str:
    made = subprocess.run(
        [*ACCSEARCH, *arguments, "--workdir", str(workdir)], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    return made.stdout


def as_json(workdir: Path, *arguments: str) -> Any:
    return json.loads(command(workdir, *arguments, "--json"))


def test_its_task_is_done_with_every_trial(workdir: Path) -> None:
    (task,) = as_json(workdir, "status")["tasks"]
    assert (task["state"], task["trials_done"], task["trials_total"]) == ("done", 4, 4)


def test_a_run_measures_it_again_in_the_present_way_unless_it_is_to_be_kept(workdir: Path) -> None:
    (task,) = json.loads(command(workdir, "plan", str(CONFIG), "--json"))["tasks"]
    assert task["action"] == "run"
    assert "measurement_version 2 -> 3" in task["why"]
    command(workdir, "run", str(CONFIG), "--gpus", "none", "--slots", "2", "--keep-stale")
    assert [path.name for path in (workdir / "logs/ci").iterdir()] == [f"{TASK}.log"]
    assert {row["trial"] for row in as_json(workdir, "best", "--max-loss", "0.5")} == {
        "baseline",
        "deepcache-i2-b0",
    }


def test_its_trials_are_exported_and_the_fastest_is_named(workdir: Path) -> None:
    lines = command(workdir, "export", "--format", "jsonl").splitlines()
    assert [json.loads(line)["trial"] for line in lines] == [
        "baseline",
        "deepcache-i2-b0",
        "tome-r0.5-d1",
        "deepcache-i2-b0+tome-r0.5-d1",
    ]
    trials = {row["trial"] for row in as_json(workdir, "best", "--max-loss", "0.5")}
    assert trials == {"baseline", "deepcache-i2-b0"}
