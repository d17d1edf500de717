"""How near a generated file comes to the upper bound that a search has found for its own configuration."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from accsearch.checkpoint.measured import results_of_plan
from accsearch.checkpoint.plan import load_plan
from accsearch.codeeval.evaluation import Evaluation
from accsearch.codeeval.static import canonical_model
from accsearch.config.schema import Config
from accsearch.result_lines.best import best
from accsearch.task import Task
from accsearch.workdir import WorkDir


def with_upper_bound(evaluation: Evaluation, workdir: WorkDir) -> Evaluation:
    """Add the upper bound at the file's own loss, where `workdir` holds results of the same configuration.

    That is the model, scheduler and steps that the baseline had, whether the code writes them or leaves a default.
    A loss below 0 counts as 0, where the baseline at least is. A file that is not faster beyond doubt achieves nothing.
    """
    speedup, loss, used = evaluation.speedup, evaluation.relative_quality_loss, evaluation.baseline
    if evaluation.verdict != "ok" or speedup is None or loss is None or used is None:
        return evaluation
    found = []
    for name in workdir.configs():
        plan = load_plan(workdir, name)
        results = [
            each for each in results_of_plan(workdir, plan) if _same(each.task, plan.outside.config, used)
        ]
        rows = best(results, (max(loss, 0.0),)).rows
        # A file's own loss is a mean too: the fastest trial whose mean loss is within counts as well.
        found += [row.candidate for row in rows]
    speeds = [
        each.speedup for each in found if each.score_loss is not None and each.score_loss <= max(loss, 0.0)
    ]
    if not speeds:
        return evaluation
    bound = max(speeds)
    achievement = speedup / bound if evaluation.gains else 0.0
    return replace(evaluation, upper_bound={"speedup": bound, "achievement": achievement})


def _same(task: Task, config: Config, used: Mapping[str, Any]) -> bool:
    if {"pipe", "sched", "steps"} - set(task.axes):
        return False
    return (
        canonical_model(config.model(str(task.axes["pipe"])).model_id) == canonical_model(used["model_id"])
        and f"{task.axes['sched']}Scheduler" == used["scheduler"]
        and task.axes["steps"] == used["num_inference_steps"]
    )
