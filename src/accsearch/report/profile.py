"""A profile: the winner of one task with its evidence, as a file that another machine can check."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accsearch import __version__
from accsearch.checkpoint.measured import results_of_plan
from accsearch.checkpoint.plan import load_plan
from accsearch.checkpoint.select import find_task
from accsearch.config.schema import MALFORMED, Config
from accsearch.errors import UsageError
from accsearch.grid import Grid, expand
from accsearch.grid.setting import ENVIRONMENT, LINE_FIELDS
from accsearch.redact import redact, secrets_of
from accsearch.report import text
from accsearch.result_lines.best import best
from accsearch.result_lines.candidates import TaskResults, candidates
from accsearch.result_lines.stats import Interval
from accsearch.result_lines.versions import changes
from accsearch.task import BASELINE
from accsearch.workdir import WorkDir, read_json

SCHEMA = 1
_FIGURES = ("trial", "methods", "speedup", "speedup_ci95", "score_loss", "score_loss_ci95", "confirmed")
_PRIVATE = ("env", "command")
"""Of the configuration's `worker`, which may hold tokens and is nothing to hand on."""


@dataclass(frozen=True, slots=True)
class ProfileAnswer:
    """Whether a profile still holds, and the lines that say why."""

    holds: bool
    text: str


def export_profile(workdir: WorkDir, name: str, max_loss: float | None) -> dict[str, Any]:
    """Return the profile of the fastest trial of a task that is within the loss.

    Without `max_loss` the limit is the first that the task's search is for. Raises UsageError where no trial but the
    baseline is within it, or nothing was measured.
    """
    task = find_task(workdir, name)
    plan = load_plan(workdir, task.config)
    results = next((each for each in results_of_plan(workdir, plan) if each.task.name == task.name), None)
    if results is None or results.baseline is None:
        raise UsageError(f"{task.name}: no measured baseline")
    limit = plan.grid.config.search.max_score_loss[0] if max_loss is None else max_loss
    row = best([results], [limit]).rows[0].to_json()
    if row["trial"] == BASELINE:
        raise UsageError(
            f"{task.name}: nothing is faster than the baseline within a loss of {text.percent(limit)}"
        )
    line = results.lines[row["trial"]]
    file = workdir.task(task.config, task.id).results
    data = file.read_bytes()
    return {
        "schema": SCHEMA,
        "accsearch": __version__,
        "task": task.name,
        "max_loss": limit,
        **{key: row[key] for key in _FIGURES},
        "gpu": line.gpu_name,
        "setting": {
            **{key: getattr(line, key) for key in LINE_FIELDS},
            **{key: line.environment.get(key) for key in ENVIRONMENT},
            **task.axes,
        },
        "versions": dict(line.versions),
        "evidence": {
            "results": str(file.relative_to(workdir.root)),
            "lines": data.count(b"\n"),
            "sha256": hashlib.sha256(data).hexdigest(),
        },
        "config": _one_trial(plan.grid.config, task.axes, row["trial"], line.batch_size),
    }


def _one_trial(config: Config, axes: Mapping[str, Any], trial: str, batch_size: int) -> dict[str, Any]:
    """Return the resolved configuration of one cell and one trial."""
    resolved = config.resolved()
    for key in _PRIVATE:
        del resolved["worker"][key]
    if resolved["quality"] is not None:
        command = resolved["quality"]["command"]
        secrets = secrets_of({}, command)
        resolved["quality"]["command"] = [redact(word, secrets) for word in command]
    resolved["grid"] = {axis: [str(value)] for axis, value in axes.items()}
    resolved["worker"]["batch_size"] = batch_size
    resolved["search"] = {"strategy": "traversal", "trials": [trial]}
    resolved["facts"]["models"] = {str(axes["pipe"]): resolved["facts"]["models"][str(axes["pipe"])]}
    return resolved


def read_profile(file: Path) -> dict[str, Any]:
    """Return the profile in `file`; raises UsageError where it is none of this version."""
    try:
        profile = read_json(file)
    except (OSError, ValueError) as error:
        raise UsageError(f"{file}: cannot be read as a profile: {error}") from error
    if profile is None:
        raise UsageError(f"{file}: no such file")
    if missing := sorted({"schema", "max_loss", "config", "versions", *_FIGURES} - profile.keys()):
        raise UsageError(f"{file}: not a profile (it lacks {missing[0]})")
    if profile["schema"] != SCHEMA:
        raise UsageError(f"{file}: schema {profile['schema']} is not known (allowed {SCHEMA})")
    return profile


def check_grid(profile: Mapping[str, Any], prompts: int, device: str | None) -> Grid:
    """Return the grid that measures a profile's trial again on few prompts; raises UsageError for a damaged one."""
    resolved = profile["config"]
    try:
        worker = {**resolved["worker"], "num_samples": prompts}
        worker["batch_size"] = min(worker["batch_size"], prompts)
        if device is not None:
            worker["device"] = device
        grid = expand(Config.from_resolved({**resolved, "worker": worker}))
    except MALFORMED as error:
        raise UsageError("the profile's `config` is not one of this version") from error
    if [trial.id for task in grid.tasks for trial in task.trials] != [BASELINE, profile["trial"]]:
        raise UsageError(f"this version does not offer the profile's trial {profile['trial']}")
    return grid


def check(profile: Mapping[str, Any], again: TaskResults) -> ProfileAnswer:
    """Compare a profile with what was measured of it here.

    It holds unless the new speed-up is surely lower than the profile's, or the new loss surely above the limit.
    """
    found = next((each for each in candidates(again) if each.line.trial == profile["trial"]), None)
    if found is None:
        return ProfileAnswer(False, "does not hold: the trial changes nothing here, or was not measured")
    then, limit = _interval(profile["speedup_ci95"]), profile["max_loss"]
    slower = bool(then and found.speedup_ci95 and found.speedup_ci95[1] < then[0])
    worse = found.score_loss_ci95 is not None and found.score_loss_ci95[0] > limit
    loss = _interval(profile["score_loss_ci95"])
    lines = [
        "does not hold here" if slower or worse else "holds here",
        f"speed-up: {text.speedup(profile['speedup'], then)} in the profile, "
        f"{text.speedup(found.speedup, found.speedup_ci95)} here{': surely lower' if slower else ''}",
        f"loss: {text.percent(profile['score_loss'], loss)} in the profile, "
        f"{text.percent(found.score_loss, found.score_loss_ci95)} here on {found.line.num_samples} prompts"
        f"{': surely' if worse else ', not surely'} above the limit of {text.percent(limit)}",
    ]
    if profile.get("gpu") != found.line.gpu_name:
        lines.append(
            f"GPU: {profile.get('gpu') or 'none'} in the profile, {found.line.gpu_name or 'none'} here"
        )
    if changed := changes(profile["versions"], found.line.versions):
        lines.append(f"versions: {changed}")
    return ProfileAnswer(not (slower or worse), "\n".join(lines))


def _interval(value: Any) -> Interval | None:
    return None if value is None else (value[0], value[1])
