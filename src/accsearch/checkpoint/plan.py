"""plan.json: the resolved configuration of a run and every task of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accsearch.checkpoint.markers import SCHEMA
from accsearch.checkpoint.outside import outside_grid, outside_of
from accsearch.config.schema import MALFORMED, Config
from accsearch.errors import StorageError, UsageError
from accsearch.grid import Grid, expand
from accsearch.task import MEASUREMENT_VERSION
from accsearch.workdir import WorkDir, encode_json, read_json, write_atomic


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """What a run was started with: `launch` holds its options, `cwd` the folder it was started in.

    `outside` holds the tasks that only earlier plans had and that have left files, as cells of this configuration.
    """

    grid: Grid
    outside: Grid
    launch: Mapping[str, Any]
    cwd: str
    config_file: str | None


def store_plan(
    workdir: WorkDir, grid: Grid, launch: Mapping[str, Any], config_file: Path | str | None, cwd: Path | str
) -> None:
    """Write the plan of a run before anything starts; one that is already there is not written again."""
    path = workdir.plan(grid.config.name)
    try:
        known = path.read_bytes()
    except FileNotFoundError:
        known = b""
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}") from error
    plan: dict[str, Any] = {
        "schema": SCHEMA,
        "config": grid.config.name,
        "config_file": None if config_file is None else str(config_file),
        "cwd": str(cwd),
        "launch": dict(launch),
        "measurement_version": grid.config.facts.measurement_version,
        "resolved": grid.config.resolved(),
        "tasks": [{"id": task.id, "digest": task.digest, "trials": len(task.trials)} for task in grid.tasks],
        "outside": outside_of(workdir, grid, known),
    }
    data = encode_json(plan)
    if known != data:
        write_atomic(path, data)


def replaced_file(workdir: WorkDir, grid: Grid) -> str | None:
    """Return the file that a stored plan of this name was made from, where the grid's own is another one.

    None where that file is gone, as after a renaming, or where the plan holds the same tasks.
    """
    file = grid.config.facts.file
    try:
        plan = read_json(workdir.plan(grid.config.name)) or {}
        stored = plan["config_file"]
        tasks = {(task["id"], task["digest"]) for task in plan["tasks"]}
        if file is None or not Path(stored).exists() or Path(stored).samefile(file):
            return None
    except (OSError, ValueError, KeyError, TypeError):
        # Written by an earlier version, or damaged, which whoever reads the plan says.
        return None
    return None if tasks == {(task.id, task.digest) for task in grid.tasks} else str(stored)


def load_plan(workdir: WorkDir, config_name: str, *, to_measure: bool = False) -> StoredPlan:
    """Return the stored plan of a configuration, its grid expanded anew; raises UsageError without one.

    Of a plan by an earlier version, results of that version are the plan's own; with `to_measure`, those of this one.
    """
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
    try:
        version = MEASUREMENT_VERSION if to_measure else plan.get("measurement_version", MEASUREMENT_VERSION)
        resolved = plan["resolved"]
        facts = {**resolved.get("facts", {}), "measurement_version": version}
        grid = expand(Config.from_resolved({**resolved, "facts": facts}))
        outside = outside_grid(grid, plan.get("outside") or {})
    except MALFORMED as error:
        raise UsageError(f"{path}: not a plan of this version; run the configuration again") from error
    return StoredPlan(
        grid, outside, plan.get("launch") or {}, plan.get("cwd") or ".", plan.get("config_file")
    )


def configs_with_plan(workdir: WorkDir) -> list[str]:
    """Return the names of the configurations that have been run; raises UsageError where there is none."""
    configs = workdir.configs()
    if not configs:
        why = "no run has been started here" if workdir.root.is_dir() else "no such folder"
        raise UsageError(f"{workdir.root}: {why}; name the folder of a run with --workdir")
    return configs


def stored_plans(workdir: WorkDir) -> list[StoredPlan]:
    """Return the plan of each configuration; raises UsageError where nothing has been run."""
    return [load_plan(workdir, config) for config in configs_with_plan(workdir)]
