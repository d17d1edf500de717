"""What the page shows of one task: plot, table of trials, images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from accsearch.report import text
from accsearch.report.images import Thumbnail, Thumbnails
from accsearch.report.plot import SERIES, Point, scatter
from accsearch.result_lines.best import best
from accsearch.result_lines.candidates import TaskResults
from accsearch.result_lines.line import ResultLine
from accsearch.task import BASELINE
from accsearch.workdir import WorkDir


@dataclass(frozen=True, slots=True)
class TaskSection:
    """The values of `task.html`: `colours` maps each set of methods to a class, `fastest` are trials within the limit.

    `anchor` is None and `images` are empty for what was measured in another setting than the plan's.
    """

    id: str
    anchor: str | None
    facts: str
    plot: Markup | None
    colours: Mapping[str, str]
    lines: Sequence[ResultLine]
    fastest: set[str]
    conditions: Sequence[ResultLine]
    images: Mapping[str, Sequence[Thumbnail]]


def task_section(
    workdir: WorkDir, results: TaskResults, limits: Sequence[float], thumbnails: Thumbnails
) -> TaskSection:
    """Return what to show of a task that has results; thumbnails take their share of one budget."""
    lines = list(results.lines.values())
    fastest = {row.candidate.line.trial for row in best([results], limits).rows if row.decision == "within"}
    series = {name: number for number, name in enumerate(dict.fromkeys(map(family, lines)))}
    points = [_point(line, series) for line in lines if line.status == "ok" and line.score_loss is not None]
    plotted = [point for point in points if point is not None]
    title = f"speed-up against score loss of {results.task.id}"
    ordered = sorted(lines, key=lambda line: (line.trial != BASELINE, -(line.speedup or 0.0)))
    images: dict[str, Sequence[Thumbnail]] = {}
    if results.other is None:
        paths = workdir.task(results.task.config, results.task.id)
        shown = {line.trial: thumbnails.of_trial(paths, line.trial) for line in ordered}
        images = {trial: found for trial, found in shown.items() if found}
    return TaskSection(
        id=results.task.id,
        anchor=f"{results.task.config}-{results.task.id}" if results.other is None else None,
        facts=_facts(results, lines[0]),
        plot=scatter(plotted, limits, title) if len(plotted) > 1 else None,
        colours={name: f"s{number % SERIES}" for name, number in series.items()},
        lines=ordered,
        fastest=fastest,
        conditions=list(results.conditions.values()),
        images=images,
    )


def family(line: ResultLine) -> str:
    """Return the names of a trial's methods, by which it has its colour."""
    return " + ".join(line.methods) or BASELINE


def _facts(results: TaskResults, first: ResultLine) -> str:
    parts = [
        text.marks(results.in_plan, results.other),
        f"{first.num_samples} prompts",
        f"batch size {first.batch_size}",
        first.dtype or "",
        first.gpu_name or first.gpu or "CPU",
        f"seed {first.seed}",
    ]
    return " · ".join(part for part in parts if part)


def _point(line: ResultLine, series: Mapping[str, int]) -> Point | None:
    speedup = 1.0 if line.trial == BASELINE else line.speedup
    if speedup is None or line.score_loss is None:
        return None
    label = (
        f"{text.methods(line.methods)}: {text.speedup(speedup, line.speedup_ci95)}, "
        f"loss {text.percent(line.score_loss, line.score_loss_ci95)}"
    )
    hollow = line.active is False
    return Point(
        label, line.score_loss, speedup, line.score_loss_ci95, line.speedup_ci95, series[family(line)], hollow
    )
