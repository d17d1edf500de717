"""Tasks that only earlier plans of a configuration had: they stay in sight where a run narrows the grid.

plan.json keeps of them the axis values and the models behind the `pipe` axis, so that they can be expanded as
cells of the present configuration: what holds of them, and what their results are worth, is judged by it alone.
"""

import json
from collections.abc import Mapping
from typing import Any

from accsearch.config.models import ModelInfo
from accsearch.config.schema import Config
from accsearch.grid import Grid, expand
from accsearch.workdir import WorkDir


def outside_of(workdir: WorkDir, grid: Grid, before: bytes) -> dict[str, Any]:
    """Return what a new plan keeps of the one `before`: its tasks that `grid` lacks and that have left files."""
    try:
        plan = json.loads(before)
        resolved, kept = plan["resolved"], plan.get("outside") or {}
        axes, models = list(resolved["grid"]), resolved["facts"]["models"]
        # A value holds no underscore, so an id splits into the values as they were written.
        earlier = [dict(zip(axes, task["id"].split("_"), strict=True)) for task in plan["tasks"]]
        earlier += kept.get("tasks", ())
        models = {**kept.get("models", {}), **models}
    except (AttributeError, KeyError, TypeError, ValueError):  # of another version, or damaged
        return {}
    ids = grid.ids()
    tasks = [
        values
        for task, values in {"_".join(values.values()): values for values in earlier}.items()
        if task not in ids and _has_left_files(workdir, grid.config.name, task)
    ]
    named = dict.fromkeys(values["pipe"] for values in tasks if "pipe" in values)
    return (
        {"tasks": tasks, "models": {pipe: models[pipe] for pipe in named if pipe in models}} if tasks else {}
    )


def outside_grid(grid: Grid, kept: Mapping[str, Any]) -> Grid:
    """Return the tasks that `outside_of` has kept, in the present configuration; those with other axes are left out."""
    config = grid.config
    present = grid.ids()
    models = {name: ModelInfo.model_validate(info) for name, info in kept.get("models", {}).items()}
    models |= config.facts.models
    wanted = {
        "_".join(values.values()): values
        for values in kept.get("tasks", ())
        if "_".join(values.values()) not in present and _is_cell(values, config, models)
    }
    if not wanted:
        return Grid(config, ())
    wider = config.model_copy(
        update={
            "grid": {axis: tuple(dict.fromkeys(v[axis] for v in wanted.values())) for axis in config.grid},
            "facts": config.facts.model_copy(update={"models": models}),
        }
    )
    return Grid(wider, tuple(task for task in expand(wider).tasks if task.id in wanted))


def _is_cell(values: Mapping[str, str], config: Config, models: Mapping[str, ModelInfo]) -> bool:
    if list(values) != list(config.grid):
        return False
    return config.worker.kind == "command" or (values["pipe"] in models and values["steps"].isdecimal())


def _has_left_files(workdir: WorkDir, config: str, task: str) -> bool:
    paths = workdir.task(config, task)
    return any(path.exists() for path in (paths.done, paths.running, paths.results))
