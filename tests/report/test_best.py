import io
import json

import pytest
from rich.console import Console

from accsearch.checkpoint.plan import store_plan
from accsearch.config.load import build_config
from accsearch.errors import UsageError
from accsearch.grid import expand
from accsearch.grid.setting import reuse_key, setting_of
from accsearch.report.best import best_selection, best_table
from accsearch.report.goal import reached
from accsearch.report.trials import export_trials
from accsearch.result_lines.file import append
from accsearch.result_lines.line import ResultLine
from accsearch.workdir import WorkDir


def rows_of(workdir, **options):
    return [row.to_json() for row in best_selection(workdir, **options).rows]


def test_the_bound_of_a_work_directory(workdir, grid):
    [row] = rows_of(workdir)

    assert (row["task"], row["decision"], row["speedup"]) == (grid.tasks[0].id, "within", 2.0)
    assert best_selection(workdir).notes == (
        "C: 1 of 2 tasks have no result yet",
        "C/demo_DDIM_10: tome-r0.5-d1: <script>alert(1)</script>",
    )


def test_a_stricter_limit_leaves_the_baseline(workdir):
    first, second = rows_of(workdir, max_losses=[0.005])

    assert (first["trial"], first["speedup"]) == ("baseline", 1.0)
    assert (second["decision"], second["speedup"]) == ("unresolved", 2.0)


def test_an_empty_work_directory_has_no_bound(tmp_path):
    with pytest.raises(UsageError, match="no run has been started here"):
        rows_of(WorkDir(tmp_path))


def test_the_table_names_task_and_methods(workdir, grid):
    out = io.StringIO()
    Console(file=out, width=200).print(best_table(rows_of(workdir)))

    assert grid.tasks[0].name in out.getvalue()
    assert "tome ratio 0.5, downsample 1" in out.getvalue()
    assert "2.00x [1.90, 2.10]" in out.getvalue()


def test_the_table_per_pipe_says_where_it_was_found(workdir, grid):
    out = io.StringIO()
    rows = rows_of(workdir, per="pipe", reference=grid.tasks[0].id)
    Console(file=out, width=200).print(best_table(rows))

    assert "found in" in out.getvalue()
    assert "C/demo " in out.getvalue()


def test_a_goal_reached(workdir, grid):
    verdict = reached(workdir, grid.tasks[0], 1.5, 0.01)

    assert verdict.reached
    assert "1.50x within a loss of 1.00 % reached" in verdict.text


def test_a_goal_missed_says_how_close_it_came(workdir, grid):
    fast, strict = reached(workdir, grid.tasks[0], 3.0, 0.01), reached(workdir, grid.tasks[0], 1.5, 0.005)

    assert not fast.reached
    assert "is 2.00x [1.90, 2.10]" in fast.text
    assert not strict.reached
    assert "not settled: 0.40 % [0.10, 0.70]" in strict.text


def searched(folder, *speedups):
    """Return a work directory, and its task of so many trials with these speed-ups (mean, interval)."""
    prompts = folder / "prompts.txt"
    prompts.write_text("a red circle\na blue square\n")
    ratios = [0.1 * (number + 1) for number in range(len(speedups))]
    document = {
        "grid": {"pipe": ["demo"], "sched": ["DDIM"], "steps": [10]},
        "worker": {"num_samples": 2},
        "prompts": {"file": str(prompts)},
        "methods": {"tome": {"ratio": ratios, "max_downsample": [1]}},
    }
    grid = expand(build_config(document, name="C"))
    [task] = grid.tasks
    workdir = WorkDir(folder / "searched")
    workdir.create("C")
    store_plan(workdir, grid, {}, None, ".")
    setting = setting_of(grid.config, task, batch_size=2, dtype="float16", gpu_model="NVIDIA H200")
    for trial, (speedup, interval) in zip(task.trials, [(1.0, (1.0, 1.0)), *speedups], strict=True):
        line = ResultLine(
            task=task.id, trial=trial.id, key=reuse_key(setting, trial.methods), attempt=1, methods=trial.methods,
            status="ok", seconds_per_image=1 / speedup, speedup=speedup, speedup_ci95=interval, score_loss=0.0,
            score_loss_ci95=(0.0, 0.0), scores=(29.0, 31.0), num_samples=2, batch_size=2, dtype="float16",
            gpu_name="NVIDIA H200",
        )  # fmt: skip
        append(workdir.task("C", task.id).results, line)
    return workdir, task


def test_a_goal_reached_by_the_mean_alone_is_not_decided(tmp_path):
    workdir, task = searched(tmp_path, (1.6, (1.55, 1.65)), (2.4, (0.56, 5.86)))

    verdict = reached(workdir, task, 2.2, 0.01)

    assert not verdict.reached
    assert f"not decided: {task.trials[2].id} is 2.40x [0.56, 5.86]" in verdict.text
    assert "not settled: from 0.56x to 5.86x" in verdict.text


def test_the_faster_of_those_that_reach_the_goal_is_taken(tmp_path):
    workdir, task = searched(tmp_path, (1.6, (1.55, 1.65)), (2.27, (2.2, 2.35)), (3.0, (1.4, 6.4)))

    verdict = reached(workdir, task, 1.5, 0.01)

    assert verdict.reached
    assert f"reached: {task.trials[2].id} is 2.27x [2.20, 2.35]" in verdict.text


def test_a_goal_without_a_baseline(workdir, grid):
    assert "no baseline" in reached(workdir, grid.tasks[1], 1.5, 0.01).text


def test_export_holds_every_trial_and_condition(workdir):
    rows = [json.loads(line) for line in export_trials(workdir, "jsonl").splitlines()]

    assert [(row["method_names"], row["condition"]) for row in rows] == [
        ("none", None),
        ("tome", None),
        ("tome", "short"),
    ]
