"""The state of every task of a work directory, as `status --json` gives it."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from accsearch.checkpoint.audit import audit
from accsearch.checkpoint.plan import StoredPlan, load_plan
from accsearch.checkpoint.record import TaskRecord
from accsearch.config.schema import Config
from accsearch.grid.reuse import own_lines
from accsearch.process_identity import is_alive
from accsearch.result_lines.file import read
from accsearch.task import Task, TaskState
from accsearch.workdir import LOG, WorkDir, read_json

OUTSIDE = "not in the latest plan"
"""What is said of a task that only an earlier plan of its configuration had."""


def status(workdir: WorkDir) -> dict[str, Any]:
    """Return the counts and each task's state; durations in seconds. Changes nothing."""
    waiting = _waiting(workdir)
    now = time.time()
    plans = [load_plan(workdir, config) for config in workdir.configs()]
    tasks = [_row(workdir, *found, waiting, now) for plan in plans for found in _records(workdir, plan)]
    found = Counter(row["state"] for row in tasks)
    counts = {state.value: found.get(state.value, 0) for state in TaskState}
    return {"workdir": str(workdir.root), "counts": counts, "tasks": tasks}


def _records(workdir: WorkDir, plan: StoredPlan) -> Iterator[tuple[Config, TaskRecord]]:
    """Yield each task of a plan, then those of earlier plans that are done, as the plan has it, or still run."""
    keep_stale = bool(plan.launch.get("keep_stale"))
    for record in audit(workdir, plan.grid, keep_stale=keep_stale):
        yield plan.grid.config, record
    for record in audit(workdir, plan.outside, keep_stale=keep_stale):
        if record.state in (TaskState.DONE, TaskState.RUNNING):
            yield plan.outside.config, replace(record, why=OUTSIDE)


def _row(
    workdir: WorkDir, config: Config, record: TaskRecord, waiting: Mapping[str, Any], now: float
) -> dict[str, Any]:
    task = record.task
    _, logs, _ = workdir.prefixes(task.config)
    reason: str | None = None
    message: str | None = None
    seconds = record.seconds
    gpu, host = record.gpu, record.host
    state = record.state
    if state is TaskState.FAILED and task.name in waiting.get("tasks", {}):
        state = TaskState.PENDING  # a run is at work that tries it again
    if state is TaskState.FAILED and record.failed is not None:
        reason, message = record.failed.reason.value, record.failed.message
        seconds, gpu, host = record.failed.seconds, record.failed.gpu, record.failed.host
    elif state is TaskState.PENDING:
        submitted = None if record.running is None else record.running.job_id
        if submitted is not None:
            reason = waiting.get("jobs", {}).get(submitted)
        else:
            reason = waiting.get("tasks", {}).get(task.name) or waiting.get("default")
        message = record.why
    elif record.state is TaskState.RUNNING and record.running is not None:
        seconds = max(0.0, now - datetime.fromisoformat(record.running.started_at).timestamp())
        message = record.why
    elif record.why == OUTSIDE:
        message = OUTSIDE
    return {
        "id": task.id,
        "config": task.config,
        "state": state.value,
        "attempt": record.attempt,
        "gpu": gpu,
        "reason": reason,
        "message": message,
        "seconds": seconds,
        "log": f"{logs}{task.id}{LOG}",
        "trials_done": len(task.trials)
        if record.state is TaskState.DONE
        else _measured(workdir, config, task),
        "trials_total": len(task.trials),
        "measured_share": record.measured_share,
        "host": host,
        "job_id": None if record.running is None else record.running.job_id,
    }


def _measured(workdir: WorkDir, config: Config, task: Task) -> int:
    if not task.trials:
        return 0
    own = own_lines(config, task, read(workdir.task(task.config, task.id).results))
    return sum(trial.id in own and own[trial.id].status in ("ok", "pruned") for trial in task.trials)


def is_awaited(workdir: WorkDir, task: Task) -> bool:
    """Return whether a run is at work that tries a failed task again."""
    return task.name in _waiting(workdir).get("tasks", {})


def quarantined(workdir: WorkDir) -> dict[str, str]:
    """Return the GPUs (UUID) that the run at work here has taken out because they fail its tasks, with the reason."""
    value = _waiting(workdir)
    why = f"quarantined by the run at work in {workdir.root} (pid {value.get('pid')})"
    return {gpu: f"{why}: {reason}" for gpu, reason in value.get("quarantined", {}).items()}


def _waiting(workdir: WorkDir) -> dict[str, Any]:
    """Return what the scheduler says its tasks wait for, and jobs in a cluster's queue; nothing if none runs."""
    return {**_said(workdir.queue), **_said(workdir.waiting)}


def _said(path: Path) -> dict[str, Any]:
    """Return what a scheduler has written there, nothing if it has ended."""
    try:
        value = read_json(path)
    except ValueError:
        return {}
    if value is None or not is_alive(value.get("pid"), value.get("create_time")):
        return {}
    return value
