"""Evaluations and comparisons as functions that another program can call."""

from pathlib import Path

import pytest

from accsearch.codeeval.comparison import ComparisonMode, compare_files
from accsearch.codeeval.evaluation_run import evaluate_benchmark
from accsearch.codeeval.settings import Settings
from accsearch.errors import UsageError
from accsearch.grid import Grid
from accsearch.workdir import WorkDir


def test_tasks_that_a_run_left_have_grades_that_say_so(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.py").write_text("pipe = None\n", encoding="utf-8")
    ran: list[Grid] = []
    lines: list[str] = []

    def run(grid: Grid) -> int:
        ran.append(grid)
        return 3

    grades = evaluate_benchmark(tmp_path, Settings(), None, WorkDir(tmp_path / "work"), run, lines.append)

    assert [len(grid.tasks) for grid in ran] == [2]
    assert grades.exit_code == 3
    assert [(each.task.id, each.passed) for each in grades.tasks] == [("a", False), ("b", False)]
    assert all(each.why is not None and each.why.startswith("not evaluated: ") for each in grades.tasks)
    assert [row["tasks"] for row in grades.levels] == [0]
    assert lines == ["2 of 2 tasks are still to be evaluated; the rates leave them out"]


@pytest.mark.parametrize("mode", [mode for mode in ComparisonMode if mode.runs_programs])
def test_programs_are_not_run_unasked(mode: ComparisonMode, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("pipe('a cat')\n", encoding="utf-8")

    with pytest.raises(UsageError, match="give --allow-exec"):
        compare_files(program, program, mode)


def test_a_comparison_that_reads_alone_names_its_mode(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("pipe('a cat', num_inference_steps=7)\n", encoding="utf-8")

    found = {mode: compare_files(program, program, mode) for mode in ComparisonMode if not mode.runs_programs}

    assert [each["mode"] for each in found.values()] == ["static", "relaxed"]
    assert found[ComparisonMode.RELAXED]["fields"]["num_inference_steps"]["similarity"] == 1.0
