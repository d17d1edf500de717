"""The evaluation's light side: benchmark files, the grid, standing, the upper bound, what is printed."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from accsearch.cli.app import app
from accsearch.codeeval.achievement import with_upper_bound
from accsearch.codeeval.benchmark import BenchmarkTask, find_entry, grid_of, load_benchmark
from accsearch.codeeval.evaluation import Evaluation, render
from accsearch.codeeval.settings import Settings, command
from accsearch.codeeval.standing import judge, summary
from accsearch.errors import ConfigError, UsageError
from accsearch.grid import command_line
from accsearch.workdir import WorkDir

EXAMPLES = Path(__file__).parents[2] / "examples"
CONFIGURATION = {
    "pipeline": "StableDiffusionPipeline",
    "model_id": "accsearch/demo",
    "scheduler": "DDIMScheduler",
    "num_inference_steps": 20,
    "acceleration_methods": ["deepcache"],
}
GOOD = Evaluation(
    file="generated.py",
    verdict="ok",
    isolation="landlock",
    configuration=CONFIGURATION,
    baseline_time=1.0,
    accelerated_time=0.5,
    baseline_score=92.0,
    accelerated_score=90.92364,
    speedup=2.0,
    relative_quality_loss=0.0117,
)


def test_the_three_sections_are_the_original_ones() -> None:
    text = render(GOOD)
    assert text.index("=== Model Configuration ===") < text.index("=== Acceleration Methods Used ===")
    assert text.index("=== Acceleration Methods Used ===") < text.index(
        "=== Performance Evaluation Results ==="
    )
    for line in (
        "pipeline: StableDiffusionPipeline",
        "num_inference_steps: 20",
        "deepcache",
        "baseline_time: 1.0000s",
        "accelerated_time: 0.5000s",
        "speedup: 2.00x",
        "relative_quality_loss: 1.17%",
    ):
        assert line in text.splitlines()


def test_what_is_unknown_is_said_to_be() -> None:
    text = render(Evaluation(file="x", verdict="invalid", isolation="none", error="no `pipe`"))
    assert "model_id: unknown" in text
    assert "error: no `pipe`" in text
    assert "speedup" not in text


def test_an_evaluation_survives_json() -> None:
    assert Evaluation.from_json(json.loads(json.dumps(GOOD.to_json()))) == GOOD


def test_the_json_has_the_contract_s_keys() -> None:
    wanted = {
        "file", "verdict", "configuration", "baseline_time", "accelerated_time", "baseline_score",
        "accelerated_score", "speedup", "relative_quality_loss", "upper_bound", "isolation", "error",
    }  # fmt: skip
    assert wanted <= GOOD.to_json().keys()


def test_the_shipped_benchmark_has_25_tasks_over_five_levels() -> None:
    tasks = load_benchmark(EXAMPLES)
    assert len(tasks) == 25
    assert len({task.level for task in tasks}) == 5
    assert all(task.reference is not None for task in tasks)


def test_a_folder_without_a_benchmark_is_its_python_files(tmp_path: Path) -> None:
    for name in ("b.py", "a.py", "c.txt"):
        (tmp_path / name).write_text("", encoding="utf-8")
    assert [task.id for task in load_benchmark(tmp_path)] == ["a", "b"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="neither"):
        load_benchmark(tmp_path / "empty")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "2: not JSON"),
        ("[]", "2: not a JSON object"),
        ('{"id": "x"}', "2: generated: missing"),
        ('{"id": "x", "generated": "none.py"}', "2: generated: no file none.py"),
        ('{"id": "x", "generated": "a.py", "speed": 1}', "2: speed: unknown key"),
        ('{"id": "x", "generated": "a.py", "max_loss": "1"}', "2: max_loss: not a number"),
        ('{"id": "a", "generated": "a.py"}', "2: id: a is there twice"),
    ],
)
def test_a_wrong_line_is_located(line: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("", encoding="utf-8")
    path = tmp_path / "tasks.jsonl"
    path.write_text('{"id": "a", "generated": "a.py"}\n' + line, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        load_benchmark(path)


def test_every_file_is_a_task_of_the_scheduler(tmp_path: Path) -> None:
    tasks = load_benchmark(EXAMPLES)
    workdir = WorkDir(tmp_path)
    settings = Settings(repeats=2, isolation="landlock", seed=7)
    grid = grid_of(EXAMPLES, tasks, workdir, settings)
    assert [task.id for task in grid.tasks] == [task.axis_value for task in tasks]
    line = command_line(grid.config, grid.tasks[0], attempt=1, batch_size=1, workdir=tmp_path)
    assert line[line.index("--entry") + 1] == tasks[0].axis_value
    out = Path(line[line.index("--out") + 1])
    assert out == workdir.task(grid.config.name, tasks[0].axis_value).results
    assert line[line.index("--seed") + 1] == "7"
    assert find_entry(tasks, tasks[0].axis_value) == tasks[0]


def test_a_changed_file_is_another_task(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("pipe = 1", encoding="utf-8")
    task = BenchmarkTask("my_file", file)
    before = task.axis_value
    file.write_text("pipe = 2", encoding="utf-8")
    assert task.axis_value != before
    assert before.startswith("my-file.")


def test_settings_reach_the_worker_as_options() -> None:
    line = command("python", ["--file", "x"], Settings(images=4))
    assert line[:5] == ["python", "-m", "accsearch.worker.codeeval", "--file", "x"]
    assert line[line.index("--images") + 1] == "4"
    assert "--seed" not in line


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        ({}, None),
        ({"min_speedup": 2.0, "max_loss": 0.02, "max_latency": 0.5}, None),
        ({"min_speedup": 2.5}, "speedup 2 is under 2.5"),
        ({"max_loss": 0.01}, "relative_quality_loss 0.0117 is over 0.01"),
        ({"max_latency": 0.4}, "accelerated_time 0.5 is over 0.4"),
    ],
)
def test_limits_decide_who_passes(limits: dict[str, float], why: str | None, tmp_path: Path) -> None:
    standing = judge(BenchmarkTask("a", tmp_path / "a.py", **limits), GOOD)  # type: ignore[arg-type]
    assert standing.why == why
    assert standing.passed == (why is None)


def test_a_method_that_changes_no_image_does_not_pass(tmp_path: Path) -> None:
    standing = judge(BenchmarkTask("a", tmp_path / "a.py", min_speedup=1.3), replace(GOOD, active=False))
    assert standing.why == "its methods do nothing: every image equals the baseline's"


def test_a_file_must_agree_with_its_reference(tmp_path: Path) -> None:
    task = next(task for task in load_benchmark(EXAMPLES) if task.id == "plain-wrong-steps")
    standing = judge(task, GOOD)
    assert standing.why == "differs from the reference: num_inference_steps"
    assert standing.static_rate == 0.8


def test_rates_are_given_per_level_and_in_all(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    one = judge(BenchmarkTask("a", file, "1", min_speedup=4.0), GOOD)
    bounded = replace(GOOD, upper_bound={"speedup": 2.5, "achievement": 0.8})
    two = judge(BenchmarkTask("b", file, "2"), bounded)
    three = judge(BenchmarkTask("c", file, "2"), replace(GOOD, verdict="failed", error="it broke"))
    four = judge(BenchmarkTask("d", file, "2"), None)
    rows = summary([one, two, three, four])
    assert [(row["level"], row["passed"], row["tasks"]) for row in rows] == [
        ("1", 0, 1),
        ("2", 1, 3),
        (None, 1, 4),
    ]
    assert one.achievement == 0.5
    assert two.achievement == 0.8
    assert rows[2]["achievement_rate"] == pytest.approx(0.65)
    assert three.why == "failed: it broke"
    assert four.why == "not evaluated"


def test_without_results_there_is_no_upper_bound(tmp_path: Path) -> None:
    assert with_upper_bound(GOOD, WorkDir(tmp_path)).upper_bound is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["x.py"], "give --allow-exec"),
        (["none.py", "--allow-exec"], "none.py: no such file"),
        (["x.py", "--allow-exec", "--isolation", "jail"], "allowed auto"),
        (["x.py", "--allow-exec", "--results", "."], "not a work directory"),
        ([".", "x.py", "--allow-exec"], "one folder or benchmark file"),
    ],
)
def test_mistakes_of_usage_are_one_line(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.py").write_text("pipe = 1", encoding="utf-8")
    result = CliRunner().invoke(app, ["evaluate", *arguments])
    assert isinstance(result.exception, UsageError)
    assert said in str(result.exception)
    assert result.exception.exit_code == 2
