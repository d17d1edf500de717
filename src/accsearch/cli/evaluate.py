"""`accsearch evaluate`: run generated code in a sandbox against its own baseline."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from accsearch.cli.options import HERE, GpusOption, JsonOption, SlotsOption, WorkDirOption
from accsearch.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.table import Table

    from accsearch.codeeval.evaluation import Evaluation
    from accsearch.codeeval.evaluation_run import BenchmarkGrades
    from accsearch.codeeval.pass_rate import TaskGrade

DEVICES = ("auto", "cuda", "cpu")


def evaluate(
    generated: Annotated[
        list[Path],
        typer.Argument(metavar="GENERATED...", help="Python files, or one folder or benchmark file (JSONL)."),
    ],
    allow_exec: Annotated[bool, typer.Option("--allow-exec", help="Let the generated code run.")] = False,
    results: Annotated[
        Path | None, typer.Option("--results", metavar="WORKDIR", help="Results that hold the upper bound.")
    ] = None,
    isolation: Annotated[
        str, typer.Option("--isolation", help="auto, landlock, bubblewrap, unshare or none.")
    ] = "auto",
    repeats: Annotated[int, typer.Option("--repeats", min=1, help="Measurements of each file.")] = 3,
    images: Annotated[int, typer.Option("--images", min=1, help="Images in each measurement.")] = 2,
    timeout: Annotated[
        float, typer.Option("--timeout", min=1, max=604_800, help="Seconds that a file may run.")
    ] = 900.0,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Fix prompts and seeds; by default they are drawn anew.")
    ] = None,
    quality: Annotated[str | None, typer.Option("--quality", help="Scorer, such as ViT-g-14.")] = None,
    prompts: Annotated[
        str | None, typer.Option("--prompts", metavar="FILE", help="One prompt a line.")
    ] = None,
    device: Annotated[str, typer.Option("--device", help="cuda, cpu or auto.")] = "auto",
    gpus: GpusOption = None,
    slots: SlotsOption = None,
    json: JsonOption = False,
    workdir: WorkDirOption = HERE,
) -> int:
    """Run generated code in a sandbox against its own baseline, and against the upper bound of results."""
    from accsearch.cli.output import message
    from accsearch.cli.start_run import launch
    from accsearch.codeeval.evaluation_run import evaluate_benchmark, evaluate_files
    from accsearch.codeeval.settings import Settings
    from accsearch.sandbox.levels import choose
    from accsearch.scheduler.options import RunOptions
    from accsearch.workdir import WorkDir

    if not allow_exec:
        raise UsageError("evaluate runs the generated code: give --allow-exec to let it")
    if not any(path.exists() for path in generated):
        raise UsageError(f"{generated[0]}: no such file")
    if prompts is not None and not Path(prompts).is_file():
        raise UsageError(f"--prompts {prompts}: no such file")
    if quality is not None:
        _check_scorer(quality)
    if device not in DEVICES:
        raise UsageError(f"--device {device}: allowed {', '.join(DEVICES)}")
    if results is not None and not WorkDir(results).checkpoints.is_dir():
        raise UsageError(f"--results {results}: not a work directory")
    bound = None if results is None else WorkDir(results.resolve())
    # Chosen once here, so that every file is judged at the same level.
    level = choose(isolation)
    settings = Settings(repeats, images, timeout, level.value, device, seed, quality, prompts)
    directory = WorkDir(workdir.resolve())
    if any(path.is_dir() or path.suffix == ".jsonl" for path in generated):
        if len(generated) > 1:
            raise UsageError("give one folder or benchmark file, or any number of Python files")
        options = RunOptions(gpus=gpus, slots=slots)
        grades = evaluate_benchmark(
            generated[0], settings, bound, directory, lambda grid: launch([grid], directory, options), message
        )
        return _print_grades(grades, json)
    if slots is not None:
        raise UsageError("--slots belongs to a folder or a benchmark file, which are scheduled")
    evaluations = evaluate_files(generated, settings, bound, directory, gpus, message)
    return _print_evaluations(generated, evaluations, json)


def _check_scorer(quality: str) -> None:
    from accsearch.config.mistake import Mistake
    from accsearch.config.schema import QualityConfig
    from accsearch.config.sources import check_scorer

    try:
        check_scorer(QualityConfig(model=quality))
    except Mistake as mistake:
        raise UsageError(f"--quality {quality}: {mistake.message}") from None


def _print_evaluations(
    files: "Sequence[Path]", evaluations: "Iterable[tuple[Evaluation, int]]", json: bool
) -> int:
    """Print each evaluation as it ends, as JSON all of them at the end; return the exit code."""
    from accsearch.cli.output import print_json
    from accsearch.codeeval.evaluation import render
    from accsearch.sandbox.printable import printable

    found: list[Evaluation] = []
    codes: set[int] = set()
    for file, (evaluation, code) in zip(files, evaluations, strict=True):
        if not json:
            if len(files) > 1:
                typer.echo(f"{chr(10) if found else ''}--- {printable(file)}")
            typer.echo(render(evaluation))
        found.append(evaluation)
        codes.add(code)
    if json:
        print_json(found[0].to_json() if len(found) == 1 else [each.to_json() for each in found])
    if UsageError.exit_code in codes:
        return UsageError.exit_code
    return 0 if all(each.verdict == "ok" for each in found) else 1


def _print_grades(grades: "BenchmarkGrades", json: bool) -> int:
    """Print the grades of a benchmark; return the exit code."""
    from accsearch.cli.output import console, print_json

    if json:
        print_json({"levels": grades.levels, "tasks": [each.to_json() for each in grades.tasks]})
    else:
        out = console()
        out.print(_task_table(grades.tasks))
        out.print(_level_table(grades.levels))
    return grades.exit_code or (0 if all(each.passed for each in grades.tasks) else 1)


def _task_table(grades: "Sequence[TaskGrade]") -> "Table":
    from accsearch.cli.output import cell, columns

    table = columns("task", "level", "verdict", "speedup", "loss", "static", "achievement", "passed")
    for each in grades:
        found = each.evaluation
        table.add_row(
            cell(each.task.id),
            cell(each.task.level),
            "-" if found is None else found.verdict,
            *(("-", "-") if found is None else _with_intervals(found)),
            _shown(each.static_rate, "{:.0%}"),
            _shown(each.achievement, "{:.0%}"),
            "yes" if each.passed else cell(f"no: {each.why}"),
        )
    return table


def _level_table(levels: "Sequence[dict[str, Any]]") -> "Table":
    from accsearch.cli.output import cell, columns

    table = columns("level", "tasks", "passed", "pass rate", "static match", "achievement rate")
    for row in levels:
        table.add_row(
            "all" if row["level"] is None else cell(row["level"]),
            str(row["tasks"]),
            str(row["passed"]),
            *(_shown(row[rate], "{:.0%}") for rate in ("pass_rate", "static_match_rate", "achievement_rate")),
        )
    return table


def _with_intervals(found: "Evaluation") -> tuple[str, str]:
    """Return speed-up and loss with their intervals, as `1.33x [0.98, 1.80]`."""
    speedup = _shown(found.speedup, "{:.2f}x") + _shown(found.speedup_ci95, " [{0[0]:.2f}, {0[1]:.2f}]", "")
    interval = _shown(found.relative_quality_loss_ci95, " [{0[0]:.1%}, {0[1]:.1%}]", "")
    return speedup, _shown(found.relative_quality_loss, "{:.1%}") + interval


def _shown(value: Any, form: str, unknown: str = "-") -> str:
    return unknown if value is None else form.format(value)
