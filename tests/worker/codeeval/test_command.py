"""`accsearch evaluate` as a program: its exit codes, its JSON, and a benchmark that is not run twice."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from typer.testing import CliRunner

from accsearch.cli.app import app

PROJECT = Path(__file__).parents[3]
SCHEDULED = ("--allow-exec", "--json", "--gpus", "none", "--device", "cpu")


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
        "achievement_rate": 0.0,
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


def test_a_file_that_cannot_be_judged_costs_no_other_its_result(tmp_path: Path) -> None:
    (tmp_path / "first.py").write_text("pipe = 3\n", encoding="utf-8")
    (tmp_path / "last.py").write_text("pipe = (\n", encoding="utf-8")
    # It is there, and reading it fails.
    files = ("first.py", "/proc/self/mem", "last.py")
    code, out, err = program(*files, "--allow-exec", "--device", "cpu", cwd=tmp_path)
    assert code == 2
    assert [line for line in out.splitlines() if line.startswith("---")] == [f"--- {file}" for file in files]
    assert out.count("verdict: invalid") == 3
    assert "/proc/self/mem: cannot be read" in err
    code, out, _ = program(*files, "--allow-exec", "--device", "cpu", "--json", cwd=tmp_path)
    assert code == 2
    assert [each["file"] for each in json.loads(out)] == list(files)
    assert json.loads(out)[1]["error"].startswith("not judged: /proc/self/mem: cannot be read")


def test_an_evaluation_of_other_settings_is_not_shown_as_this_run_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "tasks"
    folder.mkdir()
    (folder / "no_pipe.py").write_text("x = 1\n", encoding="utf-8")
    program("tasks", *SCHEDULED, cwd=tmp_path)
    monkeypatch.chdir(tmp_path)
    # A run that is interrupted before it has done anything.
    monkeypatch.setattr("accsearch.cli.start_run.launch", lambda *_: 130)
    same = CliRunner().invoke(app, ["evaluate", "tasks", *SCHEDULED], standalone_mode=False)
    assert json.loads(same.stdout)["tasks"][0]["evaluation"]["verdict"] == "invalid"
    other = CliRunner().invoke(
        app, ["evaluate", "tasks", *SCHEDULED, "--repeats", "2"], standalone_mode=False
    )
    [task] = json.loads(other.stdout)["tasks"]
    assert (other.return_value, task["evaluation"], task["passed"]) == (130, None, False)
    assert task["why"].startswith("not evaluated: ")


def example(folder: Path, *names: str) -> list[str]:
    """Write a benchmark of some of the shipped tasks, in that order; return its options."""
    lines = {}
    for line in (PROJECT / "examples" / "benchmark.jsonl").read_text(encoding="utf-8").splitlines():
        task = json.loads(line)
        for key in ("reference", "generated"):
            task[key] = str(PROJECT / "examples" / task[key])
        if "timeout" in task:
            task["timeout"] = 5
        lines[task["id"]] = json.dumps(task)
    (folder / "some.jsonl").write_text("\n".join(lines[name] for name in names), encoding="utf-8")
    return ["some.jsonl", *SCHEDULED, "--slots", "1", "--repeats", "1", "--images", "1"]


def kill_all(process: psutil.Process) -> None:
    """Kill a process and all that it has started, those first that would notice."""
    for each in [process, *process.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()


def test_an_evaluation_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    verdicts = {"latency-syntax": "invalid", "plain-no-pipe": "invalid", "latency-loop": "timeout"}
    options = example(tmp_path, *verdicts)
    line = [sys.executable, "-m", "accsearch", "evaluate", *options]
    with subprocess.Popen(
        line, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as first:
        assert first.stderr is not None
        said: list[str] = []
        # One task is finished and the next one runs; which is said first is a matter of luck.
        while said.count("started") < 2 or "done" not in said:
            said.append(first.stderr.readline().partition(":")[0])
        kill_all(psutil.Process(first.pid))
    checkpoints = tmp_path / "checkpoints" / "evaluate-some"
    [finished] = checkpoints.glob("*.done")
    before = finished.read_bytes()

    _, out, err = program(*options, cwd=tmp_path)

    assert finished.read_bytes() == before
    started = [text for text in err.splitlines() if "started" in text]
    assert len(started) == 2
    assert finished.stem not in " ".join(started)
    assert {each["id"]: each["evaluation"]["verdict"] for each in json.loads(out)["tasks"]} == verdicts


def test_the_shipped_configuration_runs_in_another_work_directory(tmp_path: Path) -> None:
    ended = subprocess.run(
        [
            sys.executable, "-m", "accsearch", "run", "configs/codeeval.yaml", "--workdir", str(tmp_path),
            "--gpus", "none", "-o", "grid.file=[latency-syntax,plain-no-pipe]",
        ],
        cwd=PROJECT,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    results = tmp_path / "results" / "codeeval"
    assert sorted(path.name for path in results.glob("*.jsonl")) == [
        "latency-syntax.jsonl",
        "plain-no-pipe.jsonl",
    ]
