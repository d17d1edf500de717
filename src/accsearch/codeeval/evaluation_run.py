"""Evaluate generated files: each by a worker of its own, or all of a benchmark as tasks of the scheduler."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accsearch.checkpoint.audit import audit
from accsearch.codeeval.achievement import with_upper_bound
from accsearch.codeeval.benchmark import grid_of, load_benchmark
from accsearch.codeeval.evaluation import Evaluation
from accsearch.codeeval.pass_rate import TaskGrade, judge, summary
from accsearch.codeeval.settings import Settings, command
from accsearch.config.schema import GpuConfig
from accsearch.errors import NoGpuError, NoIdleGpuError
from accsearch.executors.foreground import run_in_foreground
from accsearch.gpus.lend import NO_GPU, Loan, lend
from accsearch.gpus.visible import NONE
from accsearch.grid import Grid
from accsearch.sandbox.printable import printable
from accsearch.task import TaskState
from accsearch.workdir import WorkDir

Say = Callable[[str], None]
"""Prints a line for the user."""


@dataclass(frozen=True, slots=True)
class BenchmarkGrades:
    """Every task of a benchmark, judged; `levels` are the rates of those that have ended, `exit_code` the run's."""

    tasks: Sequence[TaskGrade]
    levels: Sequence[dict[str, Any]]
    exit_code: int


def evaluate_files(
    files: Sequence[Path],
    settings: Settings,
    bound: WorkDir | None,
    workdir: WorkDir,
    gpus: str | None,
    say: Say,
) -> Iterator[tuple[Evaluation, int]]:
    """Yield the evaluation of each file in turn, and its worker's exit code; no file can break another's result.

    All run on one idle GPU, of those that `gpus` (as of `--gpus`) allows, or on the CPU. A file whose worker ends
    without an evaluation is `invalid`. `bound` holds results to compare with. Raises NoGpuError, NoIdleGpuError,
    UsageError for wrong `gpus`, and StorageError.
    """
    with _lend(settings.device, gpus, workdir.root) as loan:
        for file in files:
            evaluation, code = _evaluate_file(file, settings, loan, say)
            yield _bounded(evaluation, bound, say), code


def evaluate_benchmark(
    source: Path,
    settings: Settings,
    bound: WorkDir | None,
    workdir: WorkDir,
    run: Callable[[Grid], int],
    say: Say,
) -> BenchmarkGrades:
    """Return the grades of a benchmark file or of a folder; `run` runs the grid of its tasks in `workdir`.

    Raises UsageError and ConfigError for a wrong benchmark.
    """
    tasks = load_benchmark(source)
    grid = grid_of(source, tasks, workdir, settings)
    code = run(grid)
    grades, ended = [], []
    for task, record in zip(tasks, audit(workdir, grid), strict=True):
        # What an attempt with other settings has left is not this run's.
        done = record.state is TaskState.DONE
        evaluation = _read(workdir.task(grid.config.name, record.task.id).results) if done else None
        bounded = None if evaluation is None else _bounded(evaluation, bound, say)
        grades.append(judge(task, bounded, "no result" if done else record.why))
        if record.state in (TaskState.DONE, TaskState.FAILED):
            ended.append(grades[-1])
    if len(ended) < len(grades):
        left = len(grades) - len(ended)
        say(f"{left} of {len(grades)} tasks are still to be evaluated; the rates leave them out")
    return BenchmarkGrades(grades, summary(ended), code)


@contextmanager
def _lend(device: str, gpus: str | None, workdir: Path) -> Iterator[Loan]:
    """Lend an idle GPU, none for the device `cpu` and where `auto` finds no GPU."""
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


def _evaluate_file(file: Path, settings: Settings, loan: Loan, say: Say) -> tuple[Evaluation, int]:
    with tempfile.TemporaryDirectory(prefix="accsearch-") as folder:
        out = Path(folder) / "evaluation.jsonl"
        errors = Path(folder) / "stderr"
        with errors.open("wb") as stderr:
            code = run_in_foreground(
                command(sys.executable, ["--file", str(file), "--out", str(out)], settings),
                env={**os.environ, **loan.env},
                leases=loan.leases,
                say=say,
                # Its progress; what this program has to give on stdout comes when it is done.
                stdout=subprocess.DEVNULL if sys.stderr is None else sys.stderr.fileno(),
                stderr=stderr,
                # As the sandbox has: Linux shares a busy processor out by sessions, and the file's own would get more
                # of it than a baseline that shares one with whatever else was started from this terminal.
                own_session=True,
            )
        evaluation = _read(out)
        lines = errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    if evaluation is None:
        error = (lines or [f"exit code {code}"])[-1].removeprefix("error: ")
        say(f"accsearch: {printable(file)}: {printable(error)}")
        evaluation = Evaluation(str(file), "invalid", settings.isolation, error=f"not judged: {error}")
    return evaluation, code


def _bounded(evaluation: Evaluation, bound: WorkDir | None, say: Say) -> Evaluation:
    if bound is None:
        return evaluation
    bounded = with_upper_bound(evaluation, bound)
    if bounded.verdict == "ok" and bounded.upper_bound is None:
        say(
            f"{printable(evaluation.file)}: no upper bound: {bound.root} holds no result of its baseline's model, "
            "scheduler and steps"
        )
    return bounded


def _read(path: Path) -> Evaluation | None:
    """Return the last evaluation written to a file, None where there is none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return Evaluation.from_json(json.loads(lines[-1])) if lines else None
    except (FileNotFoundError, ValueError, TypeError):
        return None
