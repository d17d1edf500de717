"""One self-contained page of a work directory's results: no script, no external resource."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

from accsearch.checkpoint.measured import results_of_plan
from accsearch.checkpoint.plan import StoredPlan, configs_with_plan, load_plan
from accsearch.checkpoint.status import status
from accsearch.redact import redact, secrets_of
from accsearch.report import text
from accsearch.report.html import Html, join, table, tag
from accsearch.report.images import Thumbnails
from accsearch.report.plot import Bar, bars
from accsearch.report.task_section import task_section, with_interval
from accsearch.results.best import Best, TaskResults, best
from accsearch.results.line import ResultLine
from accsearch.results.versions import installed_versions
from accsearch.task import TaskState
from accsearch.workdir import SHARED, WorkDir, write_atomic


def write_page(workdir: WorkDir, path: Path, *, limits: Sequence[float] = (), others: bool = False) -> None:
    """Write the page to `path`, in one step; see `page`. Raises UsageError where nothing was run."""
    configs_with_plan(workdir)
    document = page(workdir, datetime.now(UTC), limits, others)
    write_atomic(path, document.encode(errors="replace"), durable=False, mode=SHARED)


def page(workdir: WorkDir, now: datetime, limits: Sequence[float] = (), others: bool = False) -> str:
    """Return the page as HTML; secrets of the environment are masked.

    `limits` are the score losses to show, those of each configuration if none; with `others` what was measured in
    other settings follows its task.
    """
    plans = [load_plan(workdir, config) for config in workdir.configs()]
    state = status(workdir)
    thumbnails = Thumbnails()
    parts = [_head(workdir, state, plans, now)]
    if not plans:
        parts.append(tag("p", "Nothing has been run here yet."))
    measured: list[ResultLine] = []
    for plan in plans:
        results = results_of_plan(workdir, plan, others=others)
        measured += [line for each in results for line in each.lines.values()]
        shown = limits or plan.grid.config.search.max_score_loss
        parts.append(_bounds(plan, results, shown))
        parts.extend(_section(workdir, each, shown, thumbnails) for each in results if each.lines)
    parts.append(_failures(state))
    parts.append(_unfinished(state))
    parts.append(_environment(measured, plans))
    style = Html(resources.files("accsearch.report").joinpath("style.css").read_text())
    document = join(
        [
            Html('<!doctype html>\n<html lang="en">'),
            tag(
                "head",
                tag("meta", charset="utf-8"),
                tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
                tag("title", f"Speed-up and quality: {workdir.root.name}"),
                tag("style", style),
            ),
            tag("body", *parts),
            Html("</html>\n"),
        ]
    )
    return redact(document, _secrets(plans))


def _secrets(plans: Sequence[StoredPlan]) -> tuple[str, ...]:
    """Return what the page must not show: of this environment, and of the workers' and their commands."""
    workers = [plan.grid.config.worker for plan in plans]
    return secrets_of() + tuple(
        secret
        for worker in workers
        for secret in secrets_of(
            {name: str(value) for name, value in worker.env.items()}, worker.command or ()
        )
    )


def _head(workdir: WorkDir, state: Mapping[str, Any], plans: Sequence[StoredPlan], now: datetime) -> Html:
    counts = [
        tag("li", tag("b", number, class_=name), name) for name, number in state["counts"].items() if number
    ]
    names = ", ".join(plan.grid.config.name for plan in plans) or "no configuration"
    version = installed_versions().get("accsearch", "")
    facts = f"{workdir.root} · {now:%Y-%m-%d %H:%M} UTC · accsearch {version}"
    return tag(
        "header",
        tag("h1", f"Acceleration search: {names}"),
        tag("p", facts, class_="soft"),
        tag("ul", *counts, class_="counts") if counts else "",
    )


def _bounds(plan: StoredPlan, results: Sequence[TaskResults], limits: Sequence[float]) -> Html:
    """Return the upper bounds of one configuration: a chart of the strictest limit, and the tables."""
    config = plan.grid.config
    present = [each for each in results if each.other is None]
    if not any(each.lines for each in results):
        searches = config.worker.kind == "traversal_search"
        why = (
            "No trial has been measured yet."
            if searches
            else "Its workers are commands, which have no trials."
        )
        return join([tag("h2", config.name), tag("p", why, class_="soft")])
    per_task = best(results, limits)
    per_pipe = best(present, limits, per="pipe")
    within = [row for row in per_task.rows if row.decision == "within" and row.other is None]
    strictest = [row for row in within if row.max_loss == min(limits)]
    chart = [
        Bar(
            row.name,
            row.candidate.speedup,
            row.candidate.speedup_ci95,
            f"{text.methods(row.methods)}, loss {text.percent(row.candidate.score_loss)}",
        )
        for row in strictest
    ]
    title = f"Fastest trial within a score loss of {100 * min(limits):g} %, by task"
    parts = [tag("h2", f"{config.name}: upper bound")]
    if chart:
        parts.append(tag("figure", bars(chart, title), tag("figcaption", title + ", with 95 % interval")))
    parts.append(
        table(
            ("task", *_BEST_HEADINGS), [[_marked(row.name, row), *_best_cells(row)] for row in per_task.rows]
        )
    )
    if per_pipe.rows and len(present) > 1:
        parts.append(tag("h3", "Over the whole grid, against one reference task", style="margin-top:22px"))
        rows = [[row.name, row.reference, row.candidate.task, *_best_cells(row)] for row in per_pipe.rows]
        parts.append(table(("pipe", "reference", "found in", *_BEST_HEADINGS), rows))
    notes = dict.fromkeys((*per_task.notes, *per_pipe.notes, *plan.grid.notes))
    parts.extend(tag("p", note, class_="soft") for note in notes)
    return join([tag("section", *parts, class_="card")])


_BEST_HEADINGS = ("limit", "speed-up [95 %]", "score loss [95 %]", "decision", "methods")


def _marked(name: str, row: Best) -> str:
    marks = text.marks(row.in_plan, row.other)
    return f"{name} ({marks})" if marks else name


def _best_cells(row: Best) -> list[object]:
    found = row.candidate
    return [
        f"{100 * row.max_loss:g} %",
        with_interval(text.speedup(found.speedup, found.speedup_ci95)),
        with_interval(text.percent(found.score_loss, found.score_loss_ci95)),
        tag("span", row.decision, class_=row.decision),
        text.methods(row.methods),
    ]


def _section(workdir: WorkDir, results: TaskResults, limits: Sequence[float], thumbnails: Thumbnails) -> Html:
    paths = workdir.task(results.task.config, results.task.id)
    return task_section(results, limits, paths, thumbnails)


def _failures(state: Mapping[str, Any]) -> Html:
    failed = [task for task in state["tasks"] if task["state"] == TaskState.FAILED]
    if not failed:
        return Html("")
    rows = [
        [f"{task['config']}/{task['id']}", task["attempt"], task["reason"], task["message"]]
        for task in failed
    ]
    headings = ("task", "attempts", "reason", "last error line")
    return tag("section", tag("h2", "Failed tasks"), table(headings, rows), class_="card")


def _unfinished(state: Mapping[str, Any]) -> Html:
    rest = [task for task in state["tasks"] if task["state"] in (TaskState.PENDING, TaskState.RUNNING)]
    if not rest:
        return Html("")
    begun = [task for task in rest if task["attempt"]]
    never = len(rest) - len(begun)
    shown = [[f"{task['config']}/{task['id']}", task["state"], task["message"]] for task in begun[:200]]
    notes = [f"and {len(begun) - 200} more"] if len(begun) > 200 else []
    notes += [f"{never} {'task has' if never == 1 else 'tasks have'} not been run yet"] if never else []
    return tag(
        "section",
        tag("h2", "Unfinished tasks"),
        table(("task", "state", "why"), shown) if shown else "",
        *(tag("p", note, class_="soft") for note in notes),
        class_="card",
    )


def _environment(lines: Sequence[ResultLine], plans: Sequence[StoredPlan]) -> Html:
    """Return what the results were measured with, and each resolved configuration."""
    gpus = sorted({line.gpu_name or line.gpu or "CPU" for line in lines}) or ["–"]
    rows: list[list[object]] = [["device", ", ".join(gpus)]]
    for name, found in sorted(_collected(lines).items()):
        rows.append([name, ", ".join(sorted(found))])
    blocks = [
        tag("details", tag("summary", f"configuration {plan.grid.config.name}"), tag("pre", _resolved(plan)))
        for plan in plans
    ]
    return tag(
        "section",
        tag("h2", "Measured with"),
        table(("what", "version or name"), rows),
        *blocks,
        class_="card",
    )


def _collected(lines: Sequence[ResultLine]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in lines:
        for name, value in {**line.versions, **line.environment}.items():
            if isinstance(value, str | int | float):
                found.setdefault(name, set()).add(str(value))
    return found


def _resolved(plan: StoredPlan) -> str:
    """Return the configuration as JSON; values given to the worker's environment are not shown."""
    config = plan.grid.config.resolved()
    env = config.get("worker", {}).get("env") or {}
    shown = config | {"worker": config.get("worker", {}) | {"env": sorted(env)}}
    return json.dumps(shown, indent=2)
