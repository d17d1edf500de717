"""The evaluation's light side: benchmark files, the grid, grade, the upper bound, what is printed."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from accsearch.checkpoint.plan import store_plan
from accsearch.cli.app import app
from accsearch.codeeval.achievement import with_upper_bound
from accsearch.codeeval.benchmark import BenchmarkTask, find_entry, grid_of, load_benchmark
from accsearch.codeeval.evaluation import Evaluation, render, unresolved
from accsearch.codeeval.pass_rate import judge, summary
from accsearch.codeeval.settings import Settings, command
from accsearch.codeeval.static import extract_source
from accsearch.config.load import build_config, load_config
from accsearch.errors import ConfigError, UsageError
from accsearch.grid import command_line, expand
from accsearch.grid.setting import reuse_key, setting_of
from accsearch.result_lines.file import append
from accsearch.result_lines.line import ResultLine
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
    speedup_ci95=(1.904, 2.1),
    relative_quality_loss=0.0117,
    relative_quality_loss_ci95=(-0.004, 0.0274),
    remarks=("the machine was busy",),
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
        "speedup_ci95: [1.90, 2.10]",
        "relative_quality_loss: 1.17%",
        "relative_quality_loss_ci95: [-0.40%, 2.74%]",
        "remark: the machine was busy",
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


def test_nothing_evaluated_has_no_rate() -> None:
    [row] = summary([])
    assert (row["tasks"], row["pass_rate"]) == (0, None)


def test_the_shipped_benchmark_has_25_tasks_over_five_levels() -> None:
    tasks = load_benchmark(EXAMPLES)
    assert len(tasks) == 25
    assert len({task.level for task in tasks}) == 5
    assert all(task.reference is not None for task in tasks)


def test_the_tasks_of_the_flux_pipeline_call_it_with_its_size_and_tokens() -> None:
    tasks = load_benchmark(EXAMPLES / "transformer")
    read = {task.id: extract_source(task.generated.read_bytes()) for task in tasks}
    size = {"height": 64, "width": 64, "max_sequence_length": 24}
    assert len(read) == 5
    for fields in read.values():
        assert (fields.model_id, fields.num_inference_steps) == ("accsearch/demo-dit", 20)
        assert fields.arguments == {**size, "guidance_scale": 2.0}
    assert set(read["dit-taylorseer"].methods) == {"taylorseer"}
    assert set(read["dit-inert"].methods) == {"first_block_cache"}


def test_the_shipped_configuration_has_the_benchmark_s_tasks() -> None:
    config = load_config(EXAMPLES.parent / "configs" / "codeeval.yaml")
    assert list(config.grid["file"]) == [task.id for task in load_benchmark(EXAMPLES)]


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
        ('{"id": "x", "generated": "a.py", "min_speedup": 0}', r"min_speedup: .* \(allowed 0.01 to 1000\)"),
        ('{"id": "x", "generated": "a.py", "max_loss": true}', r"2: max_loss: .* \(allowed 0 to 1\)"),
        ('{"id": "x", "generated": "a.py", "max_loss": NaN}', "2: not JSON: NaN is no number"),
        ('{"id": "x", "generated": "a.py", "max_loss": 1e999}', "2: max_loss: not a number"),
        ('{"id": "x", "generated": "a.py", "timeout": -1}', r"2: timeout: .* \(allowed 1 to 604800\)"),
        ('{"id": "x", "generated": "a.py", "level": null}', "2: level: missing, or not a text"),
        ('{"id": "x", "generated": "a.py", "reference": ""}', "2: reference: no file"),
        ('{"id": "x", "generated": "' + "a" * 5000 + '"}', "2: generated: no file"),
        ('{"id": "x", "generated": "a.py", "level": ' + "[" * 100_000, "2: not JSON"),
        ("\xff\xfe\x00", "2: not JSON"),
        ('{"id": "a", "generated": "a.py"}', r"tasks.jsonl:2: id: a is there twice, see .*tasks.jsonl:1 "),
        ('{"id": "?a", "generated": "a.py"}', r"tasks.jsonl:2: id: \?a is there twice, see .*tasks.jsonl:1 "),
    ],
)
def test_a_wrong_line_is_located(line: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("", encoding="utf-8")
    path = tmp_path / "tasks.jsonl"
    path.write_bytes(b'{"id": "a", "generated": "a.py"}\n' + line.encode("latin-1"))
    with pytest.raises(ConfigError, match=said) as found:
        load_benchmark(path)
    assert found.value.exit_code == 2
    assert "\n" not in str(found.value)


def test_a_changed_limit_of_time_is_another_task(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("", encoding="utf-8")
    (tmp_path / "b.py").write_text("", encoding="utf-8")
    task = BenchmarkTask("a", tmp_path / "a.py", timeout=60)
    values = {
        task.axis_value,
        replace(task, timeout=61).axis_value,
        replace(task, timeout=None).axis_value,
        replace(task, reference=tmp_path / "b.py").axis_value,
    }
    assert len(values) == 4
    assert replace(task, min_speedup=2.0).axis_value == task.axis_value


def test_the_scheduler_waits_as_long_as_the_longest_task(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("", encoding="utf-8")
    task = BenchmarkTask("a", tmp_path / "a.py")

    def timeout(task: BenchmarkTask, settings: Settings) -> float:
        found = grid_of(tmp_path, [task], WorkDir(tmp_path), settings).config.worker.timeout
        assert found is not None
        return float(found)

    assert timeout(replace(task, timeout=5000), Settings()) > 5000
    assert timeout(task, Settings(timeout=100)) < timeout(task, Settings(timeout=200))
    more = Settings(timeout=100, repeats=30, images=10)
    assert timeout(task, more) - timeout(task, Settings(timeout=100)) > 30 * 10


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
    assert line[:6] == ["python", "-P", "-m", "accsearch.worker.codeeval", "--file", "x"]
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
        ({"min_score": 90.9}, None),
        ({"min_score": 91}, "accelerated_score 90.9 is under 91"),
    ],
)
def test_limits_decide_who_passes(limits: dict[str, float], why: str | None, tmp_path: Path) -> None:
    grade = judge(BenchmarkTask("a", tmp_path / "a.py", **limits), GOOD)  # type: ignore[arg-type]
    assert grade.why == why
    assert grade.passed == (why is None)


@pytest.mark.parametrize(
    ("speedup", "loss", "said"),
    [
        ((0.62, 11.2), None, "whether it is faster or slower is open"),
        ((0.07, 1.22), None, "whether it is faster or slower is open"),
        ((1.05, 6.0), None, "how much it is, is open"),
        (None, None, "one pair of images"),
        ((1.9, 2.1), (-0.4, 0.9), "whether anything is lost is open"),
        ((2.0, 2.28), (-0.02, 0.12), None),
        ((0.96, 1.05), (0.0, 0.0), None),
        ((0.4, 0.6), None, None),
    ],
)
def test_intervals_too_wide_to_say_anything_are_unresolved(
    speedup: tuple[float, float] | None, loss: tuple[float, float] | None, said: str | None
) -> None:
    why = unresolved(speedup, loss)
    assert (why is None) if said is None else said in str(why)


@pytest.mark.parametrize(
    "change", [{"speedup_ci95": (0.9, 1.4)}, {"active": False}, {"speedup_ci95": (0.3, 0.8), "speedup": 0.5}]
)
def test_a_file_that_is_not_faster_achieves_nothing(change: dict[str, Any], tmp_path: Path) -> None:
    found = replace(GOOD, **change)
    assert not found.gains
    assert judge(BenchmarkTask("a", tmp_path / "a.py", min_speedup=1.3), found).achievement == 0
    assert GOOD.gains
    # A task that asks for no speed-up is met by none.
    assert judge(BenchmarkTask("a", tmp_path / "a.py", min_speedup=0.25), found).achievement == 1


def test_a_method_that_changes_no_image_does_not_pass(tmp_path: Path) -> None:
    grade = judge(BenchmarkTask("a", tmp_path / "a.py", min_speedup=1.3), replace(GOOD, active=False))
    assert grade.why == "its methods do nothing: every image equals the baseline's"


def test_a_file_must_agree_with_its_reference(tmp_path: Path) -> None:
    task = next(task for task in load_benchmark(EXAMPLES) if task.id == "plain-wrong-steps")
    grade = judge(task, GOOD)
    assert grade.why == "differs from the reference: num_inference_steps"
    assert grade.static_rate == 0.8


def test_a_field_that_only_a_run_can_tell_does_not_pass(tmp_path: Path) -> None:
    example = next(task for task in load_benchmark(EXAMPLES) if task.reference is not None)
    assert example.reference is not None
    text = example.reference.read_text()
    open_steps = tmp_path / "open.py"
    open_steps.write_text(
        "from own import count\n" + re.sub(r"num_inference_steps=\d+", "num_inference_steps=count", text)
    )
    grade = judge(replace(example, generated=open_steps), GOOD)
    assert grade.why == "only a run can tell: num_inference_steps"


def test_rates_are_given_per_level_and_in_all(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    one = judge(BenchmarkTask("a", file, "1", min_speedup=4.0), GOOD)
    bounded = replace(GOOD, upper_bound={"speedup": 2.5, "achievement": 0.8})
    two = judge(BenchmarkTask("b", file, "2"), bounded)
    three = judge(BenchmarkTask("c", file, "2"), replace(GOOD, verdict="failed", error="it broke"))
    four = judge(BenchmarkTask("d", file, "2"), None, "failed (timeout)")
    rows = summary([one, two, three, four])
    assert [(row["level"], row["passed"], row["tasks"]) for row in rows] == [
        ("1", 0, 1),
        ("2", 1, 3),
        (None, 1, 4),
    ]
    assert one.achievement == 0.5
    assert two.achievement == 0.8
    assert (three.achievement, four.achievement) == (0, 0)
    assert rows[2]["achievement_rate"] == pytest.approx(1.3 / 4)
    assert three.why == "failed: it broke"
    assert four.why == "not evaluated: failed (timeout)"


@pytest.mark.parametrize("limit", [{"max_loss": 0.01}, {"min_score": 91.0}])
def test_images_that_are_too_bad_achieve_nothing(limit: dict[str, float], tmp_path: Path) -> None:
    fast = judge(BenchmarkTask("a", tmp_path / "a.py", min_speedup=2.0, **limit), GOOD)  # type: ignore[arg-type]
    assert fast.achievement == 0
    slow = judge(BenchmarkTask("a", tmp_path / "a.py", min_speedup=4.0, max_latency=0.1), GOOD)
    assert slow.achievement == 0.5


def test_no_text_of_a_file_looks_like_a_line_of_the_report() -> None:
    configuration = {**CONFIGURATION, "model_id": "x\nverdict: ok\x1b[2J\ud800"}
    forged = replace(
        GOOD,
        verdict="failed",
        configuration=configuration,
        error="no\r\nverdict: ok",
        notes=("read: \nverdict: ok",),
        baseline={"model_id": "x\nverdict: ok", "notes": ["\nverdict: ok"]},
    )
    lines = render(forged).splitlines()
    assert [line for line in lines if line.startswith("verdict")] == ["verdict: failed"]
    assert r"model_id: x\nverdict: ok\x1b[2J\ud800" in lines


def test_numbers_that_json_lacks_are_null() -> None:
    found = replace(
        GOOD, relative_quality_loss=float("nan"), baseline={"guidance_scale": float("inf")}
    ).to_json()
    assert json.loads(json.dumps(found, allow_nan=False))["baseline"] == {"guidance_scale": None}
    assert found["relative_quality_loss"] is None


def test_the_upper_bound_is_that_of_what_the_baseline_had(tmp_path: Path) -> None:
    config = build_config(
        {
            "name": "search",
            "grid": {"pipe": ["demo"], "sched": ["DDIM", "DPMSolverMultistep"], "steps": ["20"]},
            "methods": {"deepcache": {"cache_interval": [2, 3]}},
            "worker": {"kind": "traversal_search", "num_samples": 4},
        }
    )
    grid = expand(config)
    workdir = WorkDir(tmp_path)
    workdir.create("search")
    store_plan(workdir, grid, {}, None, tmp_path)
    for task, speedups in zip(grid.tasks, ((1.0, 2.0, 2.5), (1.0, 8.0, 9.0)), strict=True):
        setting = setting_of(grid.config, task, batch_size=4, dtype="float16", gpu_model="NVIDIA H200")
        for trial, speedup, loss in zip(task.trials, speedups, (0.0, 0.01, 0.3), strict=True):
            append(
                workdir.task("search", task.id).results,
                ResultLine(
                    task=task.id,
                    trial=trial.id,
                    key=reuse_key(setting, trial.methods),
                    batch_size=4,
                    dtype="float16",
                    gpu_name="NVIDIA H200",
                    attempt=1,
                    methods=trial.methods,
                    status="ok",
                    seconds_per_image=1 / speedup,
                    times=(1 / speedup,),
                    speedup=speedup,
                    score_loss=loss,
                    active=None if trial.id == "baseline" else True,
                ),
            )
    # The code leaves scheduler and steps to the library; the baseline had some all the same.
    left = {**CONFIGURATION, "scheduler": None, "num_inference_steps": None}
    used = {"model_id": "builtin:demo", "scheduler": "DDIMScheduler", "num_inference_steps": 20}
    found = with_upper_bound(replace(GOOD, speedup=1.5, configuration=left, baseline=used), workdir)
    assert found.upper_bound == {"speedup": 2.0, "achievement": 0.75}
    looser = replace(GOOD, speedup=1.5, relative_quality_loss=0.4, configuration=left, baseline=used)
    assert with_upper_bound(looser, workdir).upper_bound == {"speedup": 2.5, "achievement": 0.6}
    unsure = replace(GOOD, speedup=1.5, speedup_ci95=(0.8, 2.6), configuration=left, baseline=used)
    assert with_upper_bound(unsure, workdir).upper_bound == {"speedup": 2.0, "achievement": 0.0}
    other = {**used, "num_inference_steps": 50}
    assert with_upper_bound(replace(GOOD, baseline=other), workdir).upper_bound is None


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
        (["x.py", "--allow-exec", "--slots", "2"], "--slots belongs to a folder"),
        (["x.py", "--allow-exec", "--prompts", "none.txt"], "none.txt: no such file"),
        (["x.py", "--allow-exec", "--device", "tpu"], "allowed auto, cuda, cpu"),
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
