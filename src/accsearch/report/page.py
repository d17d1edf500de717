"""One self-contained page of a work directory's results: no script, no external resource."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from accsearch.checkpoint.measured import results_of_plan
from accsearch.checkpoint.plan import StoredPlan, configs_with_plan, load_plan
from accsearch.checkpoint.status import status
from accsearch.redact import redact, secrets_of
from accsearch.report import text
from accsearch.report.images import Thumbnails
from accsearch.report.plot import Bar, bars
from accsearch.report.task_section import TaskSection, family, task_section
from accsearch.result_lines.best import Best, best
from accsearch.result_lines.candidates import TaskResults
from accsearch.result_lines.line import ResultLine
from accsearch.result_lines.versions import installed_versions
from accsearch.task import TaskState
from accsearch.workdir import SHARED, WorkDir, write_atomic


@dataclass(frozen=True, slots=True)
class ConfigurationSection:
    """What `page.html` shows of one configuration; `unmeasured` says why there is no result, "" where there is one.

    `chart` has the fastest trials within the strictest limit, None if there are none; `resolved` is JSON.
    """

    name: str
    resolved: str
    unmeasured: str = ""
    chart: Markup | None = None
    chart_title: str = ""
    per_task: Sequence[Best] = ()
    per_pipe: Sequence[Best] = ()
    notes: Sequence[str] = ()
    tasks: Sequence[TaskSection] = ()


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
    measured: list[ResultLine] = []
    sections = []
    for plan in plans:
        results = results_of_plan(workdir, plan, others=others)
        measured += [line for each in results for line in each.lines.values()]
        sections.append(_section(workdir, plan, results, limits, thumbnails))
    document = (
        _environment()
        .get_template("page.html")
        .render(
            root=workdir.root,
            now=now,
            version=installed_versions().get("accsearch", ""),
            style=Markup(resources.files("accsearch.report").joinpath("style.css").read_text()),
            counts={name: number for name, number in state["counts"].items() if number},
            configurations=sections,
            failed=[task for task in state["tasks"] if task["state"] == TaskState.FAILED],
            unfinished=[
                task for task in state["tasks"] if task["state"] in (TaskState.PENDING, TaskState.RUNNING)
            ],
            measured_with=_measured_with(measured),
        )
    )
    return redact(document, _secrets(plans))


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("accsearch.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    numbers = (text.speedup, text.percent, text.number, text.size)
    for shown in (*numbers, text.methods, text.marked, text.confirmation, text.proof, family):
        environment.filters[shown.__name__] = shown
    return environment


def _section(
    workdir: WorkDir,
    plan: StoredPlan,
    results: Sequence[TaskResults],
    limits: Sequence[float],
    thumbnails: Thumbnails,
) -> ConfigurationSection:
    config = plan.grid.config
    if not any(each.lines for each in results):
        searches = config.worker.kind == "traversal_search"
        why = (
            "No trial has been measured yet."
            if searches
            else "Its workers are commands, which have no trials."
        )
        return ConfigurationSection(config.name, _resolved(plan), unmeasured=why)
    limits = limits or config.search.max_score_loss
    present = [each for each in results if each.other is None]
    per_task = best(results, limits)
    per_pipe = best(present, limits, per="pipe")
    title = f"Fastest trial within a score loss of {100 * min(limits):g} %, by task"
    chart = [
        Bar(
            row.name,
            row.candidate.speedup,
            row.candidate.speedup_ci95,
            f"{text.methods(row.methods)}, loss {text.percent(row.candidate.score_loss)}",
        )
        for row in per_task.rows
        if row.decision == "within" and row.other is None and row.max_loss == min(limits)
    ]
    return ConfigurationSection(
        name=config.name,
        resolved=_resolved(plan),
        chart=bars(chart, title) if chart else None,
        chart_title=title,
        per_task=per_task.rows,
        per_pipe=per_pipe.rows if len(present) > 1 else (),
        notes=tuple(dict.fromkeys((*per_task.notes, *per_pipe.notes, *plan.grid.notes))),
        tasks=[task_section(workdir, each, limits, thumbnails) for each in results if each.lines],
    )


def _measured_with(lines: Sequence[ResultLine]) -> list[tuple[str, list[str]]]:
    """Return the devices, and each version and setting, with the values that the results have of it."""
    devices = sorted({line.gpu_name or line.gpu or "CPU" for line in lines}) or ["–"]
    found: dict[str, set[str]] = {}
    for line in lines:
        for name, value in {**line.versions, **line.environment}.items():
            if isinstance(value, str | int | float):
                found.setdefault(name, set()).add(str(value))
    return [("device", devices), *((name, sorted(values)) for name, values in sorted(found.items()))]


def _resolved(plan: StoredPlan) -> str:
    """Return the configuration as JSON; values given to the worker's environment are not shown."""
    config = plan.grid.config.resolved()
    env = config.get("worker", {}).get("env") or {}
    shown = config | {"worker": config.get("worker", {}) | {"env": sorted(env)}}
    return json.dumps(shown, indent=2)


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
