"""`accsearch evaluate`: run generated code in a sandbox against its own baseline."""

from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from accsearch.cli.options import HERE, GpusOption, JsonOption, SlotsOption, WorkDirOption

if TYPE_CHECKING:
    from collections.abc import Iterator

    from accsearch.codeeval.evaluation import Evaluation
    from accsearch.codeeval.pass_rate import TaskGrade
    from accsearch.codeeval.settings import Settings
    from accsearch.gpus.lend import Loan
    from accsearch.workdir import WorkDir

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
    from accsearch.codeeval.settings import Settings
    from accsearch.errors import UsageError
    from accsearch.sandbox.levels import choose
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
    if results is not None and not (results / "checkpoints").is_dir():
        raise UsageError(f"--results {results}: not a work directory")
    bound = None if results is None else WorkDir(results.resolve())
    # Chosen once here, so that every file is judged at the same level.
    level = choose(isolation)
    settings = Settings(repeats, images, timeout, level.value, device, seed, quality, prompts)
    scheduled = [path for path in generated if path.is_dir() or path.suffix == ".jsonl"]
    if scheduled:
        if len(generated) > 1:
            raise UsageError("give one folder or benchmark file, or any number of Python files")
        return _benchmark(generated[0], settings, bound, WorkDir(workdir.resolve()), gpus, slots, json)
    if slots is not None:
        raise UsageError("--slots belongs to a folder or a benchmark file, which are scheduled")
    with _loan(device, gpus, workdir.resolve()) as loan:
        return _files(generated, settings, loan, bound, json)


def _check_scorer(quality: str) -> None:
    from accsearch.config.mistake import Mistake
    from accsearch.config.schema import QualityConfig
    from accsearch.config.sources import check_scorer
    from accsearch.errors import UsageError

    try:
        check_scorer(QualityConfig(model=quality))
    except Mistake as mistake:
        raise UsageError(f"--quality {quality}: {mistake.message}") from None


@contextmanager
def _loan(device: str, gpus: str | None, workdir: Path) -> "Iterator[Loan]":
    """Lend an idle GPU for the evaluations, none for `--device cpu` and where `auto` finds no GPU."""
    from accsearch.config.schema import GpuConfig
    from accsearch.errors import NoGpuError, NoIdleGpuError
    from accsearch.gpus.lend import NO_GPU, lend
    from accsearch.gpus.visible import NONE

    with ExitStack() as stack:
        loan = NO_GPU
        if device != "cpu":
            try:
                loan = stack.enter_context(lend(GpuConfig(), workdir, option=gpus))
            except NoIdleGpuError:
                raise
            except NoGpuError:
                if device == "cuda" or gpus not in (None, NONE):
                    raise
        yield loan


def _files(files: list[Path], settings: "Settings", loan: "Loan", bound: "WorkDir | None", json: bool) -> int:
    """Evaluate one file after the other; what one of them breaks costs no other its result."""
    from accsearch.cli.output import print_json
    from accsearch.codeeval.evaluation import render
    from accsearch.sandbox.printable import printable

    found, usage = [], False
    for number, file in enumerate(files):
        evaluation, code = _one(file, settings, loan)
        usage = usage or code == 2
        found.append(_bounded(evaluation, bound))
        if not json:
            if len(files) > 1:
                typer.echo(f"{'' if number == 0 else chr(10)}--- {printable(file)}")
            typer.echo(render(found[-1]))
    if json:
        print_json(found[0].to_json() if len(found) == 1 else [each.to_json() for each in found])
    if usage:
        return 2
    return 0 if all(each.verdict == "ok" for each in found) else 1


def _one(file: Path, settings: "Settings", loan: "Loan") -> "tuple[Evaluation, int]":
    """Return the evaluation of a file, `invalid` where its worker ended without one, and the worker's exit code."""
    import os
    import subprocess
    import sys
    import tempfile

    from accsearch.cli.attend import attend
    from accsearch.cli.output import message
    from accsearch.codeeval.evaluation import Evaluation
    from accsearch.codeeval.settings import command
    from accsearch.sandbox.printable import printable

    with tempfile.TemporaryDirectory(prefix="accsearch-") as folder:
        out = Path(folder) / "evaluation.jsonl"
        line = command(sys.executable, ["--file", str(file), "--out", str(out)], settings)
        said = Path(folder) / "stderr"
        with said.open("wb") as stderr:
            code = attend(
                line,
                env={**os.environ, **loan.env},
                leases=loan.leases,
                # Its progress; what this program has to give on stdout comes when it is done.
                stdout=subprocess.DEVNULL if sys.stderr is None else sys.stderr.fileno(),
                stderr=stderr,
                # As the sandbox has: Linux shares a busy processor out by sessions, and the file's own would get more
                # of it than a baseline that shares one with whatever else was started from this terminal.
                own_session=True,
            )
        evaluation = _read(out)
        lines = said.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    if evaluation is None:
        lines = lines or [f"exit code {code}"]
        text = lines[-1].removeprefix("error: ")
        message(f"accsearch: {printable(file)}: {printable(text)}")
        evaluation = Evaluation(str(file), "invalid", settings.isolation, error=f"not judged: {text}")
    return evaluation, code


def _bounded(evaluation: "Evaluation", bound: "WorkDir | None") -> "Evaluation":
    if bound is None:
        return evaluation
    from accsearch.cli.output import message
    from accsearch.codeeval.achievement import with_upper_bound
    from accsearch.sandbox.printable import printable

    bounded = with_upper_bound(evaluation, bound)
    if bounded.verdict == "ok" and bounded.upper_bound is None:
        message(
            f"{printable(evaluation.file)}: no upper bound: {bound.root} holds no result of its baseline's model, "
            "scheduler and steps"
        )
    return bounded


def _benchmark(
    source: Path,
    settings: "Settings",
    bound: "WorkDir | None",
    workdir: "WorkDir",
    gpus: str | None,
    slots: int | None,
    json: bool,
) -> int:
    from accsearch.checkpoint.audit import audit
    from accsearch.cli.output import message, print_json
    from accsearch.cli.start_run import launch
    from accsearch.codeeval.benchmark import grid_of, load_benchmark
    from accsearch.codeeval.pass_rate import judge, summary
    from accsearch.scheduler.options import RunOptions
    from accsearch.task import TaskState

    tasks = load_benchmark(source)
    grid = grid_of(source, tasks, workdir, settings)
    code = launch([grid], workdir, RunOptions(gpus=gpus, slots=slots))
    grades, ended = [], []
    for task, record in zip(tasks, audit(workdir, grid), strict=True):
        # What an attempt with other settings has left is not this run's.
        done = record.state is TaskState.DONE
        evaluation = _read(workdir.task(grid.config.name, record.task.id).results) if done else None
        bounded = None if evaluation is None else _bounded(evaluation, bound)
        grades.append(judge(task, bounded, "no result" if done else record.why))
        if record.state in (TaskState.DONE, TaskState.FAILED):
            ended.append(grades[-1])
    if len(ended) < len(grades):
        left = len(grades) - len(ended)
        message(f"{left} of {len(grades)} tasks are still to be evaluated; the rates leave them out")
    levels = summary(ended)
    if json:
        print_json({"levels": levels, "tasks": [each.to_json() for each in grades]})
    else:
        _print_tables(grades, levels)
    return code or (0 if all(each.passed for each in grades) else 1)


def _read(path: Path) -> "Evaluation | None":
    import json

    from accsearch.codeeval.evaluation import Evaluation

    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return Evaluation.from_json(json.loads(lines[-1])) if lines else None
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _print_tables(grades: "list[TaskGrade]", rows: "list[dict[str, Any]]") -> None:
    from rich.markup import escape
    from rich.table import Table

    from accsearch.cli.output import console
    from accsearch.sandbox.printable import printable

    out = console()
    headings = ("task", "level", "verdict", "speedup", "loss", "static", "achievement", "passed")
    table = Table(*headings, box=None, pad_edge=False)
    for each in grades:
        found = each.evaluation
        table.add_row(
            escape(printable(each.task.id)),
            escape(printable(each.task.level)),
            "-" if found is None else found.verdict,
            *(("-", "-") if found is None else _with_intervals(found)),
            _shown(each.static_rate, "{:.0%}"),
            _shown(each.achievement, "{:.0%}"),
            "yes" if each.passed else escape(printable(f"no: {each.why}")),
        )
    out.print(table)
    rates = ("level", "tasks", "passed", "pass rate", "static match", "achievement rate")
    levels = Table(*rates, box=None, pad_edge=False)
    for row in rows:
        levels.add_row(
            "all" if row["level"] is None else escape(printable(row["level"])),
            str(row["tasks"]),
            str(row["passed"]),
            _shown(row["pass_rate"], "{:.0%}"),
            _shown(row["static_match_rate"], "{:.0%}"),
            _shown(row["achievement_rate"], "{:.0%}"),
        )
    out.print(levels)


def _with_intervals(found: "Evaluation") -> tuple[str, str]:
    """Return speed-up and loss with their intervals, as `1.33x [0.98, 1.80]`."""
    speedup = _shown(found.speedup, "{:.2f}x") + _shown(found.speedup_ci95, " [{0[0]:.2f}, {0[1]:.2f}]", "")
    interval = _shown(found.relative_quality_loss_ci95, " [{0[0]:.1%}, {0[1]:.1%}]", "")
    return speedup, _shown(found.relative_quality_loss, "{:.1%}") + interval


def _shown(value: Any, form: str, unknown: str = "-") -> str:
    return unknown if value is None else form.format(value)
