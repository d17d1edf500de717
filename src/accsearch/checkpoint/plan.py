"""plan.json: the resolved configuration of a run and every task of it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accsearch.checkpoint.markers import SCHEMA
from accsearch.config.schema import Config
from accsearch.errors import StorageError, UsageError
from accsearch.grid import Grid, expand
from accsearch.task import MEASUREMENT_VERSION
from accsearch.workdir import WorkDir, read_json, write_atomic


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """What a run was started with: `launch` holds its options, `cwd` the folder it was started in."""

    grid: Grid
    launch: Mapping[str, Any]
    cwd: str
    config_file: str | None


def store_plan(
    workdir: WorkDir, grid: Grid, launch: Mapping[str, Any], config_file: Path | str | None, cwd: Path | str
) -> None:
    """Write the plan of a run before anything starts; a plan that is already there is not written again.

    The configuration of a different plan that is replaced is kept in it, to tell later what changed.
    """
    path = workdir.plan(grid.config.name)
    plan: dict[str, Any] = {
        "schema": SCHEMA,
        "config": grid.config.name,
        "config_file": None if config_file is None else str(config_file),
        "cwd": str(cwd),
        "launch": dict(launch),
        "measurement_version": MEASUREMENT_VERSION,
        "resolved": grid.config.resolved(),
        "tasks": [{"id": task.id, "digest": task.digest, "trials": len(task.trials)} for task in grid.tasks],
        "before": None,
    }
    stored = _stored(workdir, grid.config.name)
    if stored is not None:
        same = stored.get("resolved") == plan["resolved"]
        plan["before"] = stored.get("before") if same else stored.get("resolved")
        if stored == json.loads(json.dumps(plan)):
            return
    write_atomic(path, json.dumps(plan, allow_nan=False).encode() + b"\n")


def load_plan(workdir: WorkDir, config_name: str) -> StoredPlan:
    """Return the stored plan of a configuration, its grid expanded anew; raises UsageError without one."""
    path = workdir.plan(config_name)
    try:
        plan = read_json(path)
    except ValueError as error:
        raise UsageError(f"{path}: damaged ({error}); run the configuration again") from error
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}") from error
    if plan is None:
        raise UsageError(f"{workdir.root} holds no plan of {config_name}; run the configuration first")
    if not isinstance(plan.get("schema"), int) or plan["schema"] > SCHEMA:
        raise UsageError(f"{path}: written by a newer version of accsearch")
    grid = expand(Config.from_resolved(plan["resolved"]))
    return StoredPlan(grid, plan.get("launch") or {}, plan.get("cwd") or ".", plan.get("config_file"))


def changes_since(workdir: WorkDir, grid: Grid) -> str:
    """Return which keys differ from the last plan that was another, or an empty text if that is not known."""
    stored = _stored(workdir, grid.config.name)
    if stored is None:
        return ""
    now = grid.config.resolved()
    before = stored.get("resolved")
    if before == now:
        if stored.get("measurement_version") != MEASUREMENT_VERSION:
            return f"measurement_version {stored.get('measurement_version')} -> {MEASUREMENT_VERSION}"
        before = stored.get("before")
    if not isinstance(before, dict):
        return ""
    old, new = dict(_flat(before)), dict(_flat(now))
    keys = [key for key in sorted(old.keys() | new.keys()) if old.get(key) != new.get(key)]
    shown = [f"{key} {_short(old.get(key))} -> {_short(new.get(key))}" for key in keys[:3]]
    return ", ".join(shown) + (f" and {len(keys) - 3} more" if len(keys) > 3 else "")


def _stored(workdir: WorkDir, config_name: str) -> dict[str, Any] | None:
    """Return the plan that is there, or None if there is none that can be read."""
    try:
        return read_json(workdir.plan(config_name))
    except ValueError:
        return None


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        if isinstance(item, Mapping):
            yield from _flat(item, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", item


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
