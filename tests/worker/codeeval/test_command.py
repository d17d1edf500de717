"""`accsearch evaluate` as a program: its exit codes, its JSON, and a benchmark that is not run twice."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def program(*arguments: str, cwd: Path) -> tuple[int, str, str]:
    ended = subprocess.run(
        [sys.executable, "-m", "accsearch", "evaluate", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    return ended.returncode, ended.stdout, ended.stderr


def test_a_benchmark_is_scheduled_once_and_summed_up(tmp_path: Path) -> None:
    folder = tmp_path / "tasks"
    folder.mkdir()
    (folder / "no_pipe.py").write_text("x = 1\n", encoding="utf-8")
    (folder / "broken.py").write_text("pipe = (\n", encoding="utf-8")
    options = ("tasks", "--allow-exec", "--json", "--gpus", "none", "--slots", "2", "--device", "cpu")
    code, out, _ = program(*options, cwd=tmp_path)
    first: dict[str, Any] = json.loads(out)
    assert code == 1
    verdicts = {each["id"]: each["evaluation"]["verdict"] for each in first["tasks"]}
    assert verdicts == {"no_pipe": "invalid", "broken": "invalid"}
    assert first["levels"][-1] == {
        "level": None,
        "tasks": 2,
        "passed": 0,
        "pass_rate": 0.0,
        "static_match_rate": None,
        "achievement_rate": None,
    }
    code, out, err = program(*options, cwd=tmp_path)
    assert (code, json.loads(out)) == (1, first)
    assert "started" not in err


def test_one_file_gives_the_contract_s_json(tmp_path: Path) -> None:
    file = tmp_path / "generated.py"
    file.write_text("pipe = 3\n", encoding="utf-8")
    code, out, _ = program("generated.py", "--allow-exec", "--json", "--device", "cpu", cwd=tmp_path)
    found = json.loads(out)
    assert code == 1
    assert (found["file"], found["verdict"]) == ("generated.py", "invalid")
    assert found["error"] == "`pipe` is of type int, neither a pipeline nor callable"
    assert set(found["configuration"]) == {
        "pipeline",
        "model_id",
        "scheduler",
        "num_inference_steps",
        "acceleration_methods",
    }
