"""The part of the page about one task: plot, table of trials, images."""

from collections.abc import Mapping, Sequence

from accsearch.report import text
from accsearch.report.html import Html, join, table, tag
from accsearch.report.images import Thumbnails
from accsearch.report.plot import SERIES, Point, scatter
from accsearch.results.best import TaskResults, best
from accsearch.results.line import ResultLine
from accsearch.task import BASELINE
from accsearch.workdir import TaskPaths

_HEADINGS = (
    "methods",
    "speed-up [95 %]",
    "score loss [95 %]",
    "CLIP score",
    "PSNR dB",
    "SSIM",
    "s / image",
    "memory",
    "active",
    "status",
)


def task_section(
    results: TaskResults,
    limits: Sequence[float],
    paths: TaskPaths,
    thumbnails: Thumbnails,
) -> Html:
    """Return the section of a task; its images are those of the plan's own trials only."""
    lines = list(results.lines.values())
    chosen = {row.candidate.line.trial for row in best([results], limits).rows if row.decision == "within"}
    marks = text.marks(results.in_plan, results.other)
    facts = " · ".join(part for part in (marks, _facts(lines)) if part)
    parts = [tag("h3", results.task.id), tag("p", facts, class_="soft")]
    names = list(dict.fromkeys(_family(line) for line in lines))
    series = {name: k for k, name in enumerate(names)}
    points = [_point(line, series) for line in lines if line.status == "ok" and line.score_loss is not None]
    plotted = [point for point in points if point is not None]
    if len(plotted) > 1:
        picture = scatter(plotted, limits, f"speed-up against score loss of {results.task.id}")
        caption = tag(
            "figcaption",
            "Bars are 95 % intervals; the dotted line joins the trials that no other beats in both. "
            "Hollow: not active, so no candidate.",
        )
        parts.append(tag("figure", picture, _legend(series), caption))
    rows = [_row(line, series, chosen) for line in sorted(lines, key=_order)]
    parts.append(table(_HEADINGS, rows, numeric=(1, 2, 3, 4, 5, 6, 7)))
    if results.conditions:
        parts.append(_stability([*results.conditions.values()]))
    if results.other is not None:
        return tag("section", *parts, class_="card")
    parts.append(_images([line.trial for line in sorted(lines, key=_order)], paths, thumbnails))
    return tag("section", *parts, class_="card", id=f"{results.task.config}-{results.task.id}")


def _order(line: ResultLine) -> tuple[bool, float]:
    return line.trial != BASELINE, -(line.speedup or 0.0)


def _family(line: ResultLine) -> str:
    return " + ".join(line.methods) or BASELINE


def _facts(lines: Sequence[ResultLine]) -> str:
    first = lines[0]
    parts = [
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
    place = series[_family(line)]
    return Point(label, line.score_loss, speedup, line.score_loss_ci95, line.speedup_ci95, place, hollow)


def _legend(series: Mapping[str, int]) -> Html:
    entries = (tag("span", tag("span", class_=f"key s{k % SERIES}"), name) for name, k in series.items())
    return tag("div", *entries, class_="legend")


def _row(line: ResultLine, series: Mapping[str, int], chosen: set[str]) -> list[object]:
    mark = tag("span", class_=f"key s{series[_family(line)] % SERIES}")
    name = [mark, "baseline" if line.trial == BASELINE else text.methods(line.methods)]
    if line.trial in chosen:
        name.append(tag("b", " ★", class_="within", title="fastest within the limit"))
    status = _status(line)
    return [
        join(name),
        with_interval(text.speedup(line.speedup, line.speedup_ci95)),
        with_interval(text.percent(line.score_loss, line.score_loss_ci95)),
        text.number(line.clip_score),
        text.number(line.psnr, 1),
        text.number(line.ssim, 3),
        text.number(line.seconds_per_image, 3),
        text.size(line.peak_memory_bytes),
        {True: "yes", False: "no", None: "–"}[line.active],
        status,
    ]


def _status(line: ResultLine) -> Html:
    """Return the status with what must be known of the line below it."""
    status: Html = tag("span", line.status, class_=line.status)
    remarks = [remark for remark in (line.error, line.note, _host_bound(line)) if remark]
    return join([status, *(tag("div", remark, class_="soft") for remark in remarks)]) if remarks else status


def _host_bound(line: ResultLine) -> str | None:
    if not line.host_bound:
        return None
    busy = "" if line.gpu_busy is None else f": a kernel runs {100 * line.gpu_busy:.0f} % of the time"
    return f"host-bound{busy}"


def with_interval(shown: str) -> Html:
    """Return a value whose interval is set softer and which does not wrap."""
    value, bracket, interval = shown.partition(" [")
    return tag("span", value, tag("span", bracket + interval, class_="ci"), class_="whole")


def _stability(lines: Sequence[ResultLine]) -> Html:
    rows = [
        [
            line.condition or "",
            text.methods(line.methods),
            text.speedup(line.speedup, line.speedup_ci95),
            text.percent(line.score_loss, line.score_loss_ci95),
            _status(line),
        ]
        for line in lines
    ]
    headings = ("condition", "methods", "speed-up [95 %]", "score loss [95 %]", "status")
    return tag("details", tag("summary", "stability"), table(headings, rows, numeric=(2, 3)))


def _images(trials: Sequence[str], paths: TaskPaths, thumbnails: Thumbnails) -> Html:
    figures = []
    for trial in trials:
        shown = thumbnails.of_trial(paths, trial)
        if shown:
            figures.append(tag("figure", tag("div", *shown), tag("figcaption", trial)))
    if not figures:
        return Html("")
    return tag("details", tag("summary", "images"), tag("div", *figures, class_="images"), open="")
