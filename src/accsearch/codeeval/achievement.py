"""How near a generated file comes to the upper bound that a search has found for its own configuration."""

from dataclasses import replace

from accsearch.checkpoint.plan import load_plan
from accsearch.codeeval.evaluation import Evaluation
from accsearch.codeeval.static import canonical_model
from accsearch.config.models import ModelInfo
from accsearch.config.schema import Config
from accsearch.results.best import best, load
from accsearch.task import Task
from accsearch.workdir import WorkDir

DEMO_IDS = ("builtin:demo", "accsearch/demo")


def with_upper_bound(evaluation: Evaluation, workdir: WorkDir) -> Evaluation:
    """Add the upper bound at the file's own loss, where `workdir` holds results of the same configuration.

    That is the same model, scheduler and steps. A loss below 0 counts as 0, where the baseline at least is.
    """
    speedup, loss = evaluation.speedup, evaluation.relative_quality_loss
    if evaluation.verdict != "ok" or speedup is None or loss is None:
        return evaluation
    found = []
    for name in workdir.configs():
        grid = load_plan(workdir, name).grid
        tasks = [task for task in grid.tasks if _same(task, grid.config, evaluation)]
        rows = best(load(workdir, tasks), (max(loss, 0.0),)).rows
        # A file has no interval of its own: the fastest trial whose mean loss is within counts too.
        found += [row.candidate for row in rows]
    speeds = [
        each.speedup for each in found if each.score_loss is not None and each.score_loss <= max(loss, 0.0)
    ]
    if not speeds:
        return evaluation
    bound = max(speeds)
    return replace(evaluation, upper_bound={"speedup": bound, "achievement": speedup / bound})


def _same(task: Task, config: Config, evaluation: Evaluation) -> bool:
    wanted = evaluation.configuration
    if {"pipe", "sched", "steps"} - set(task.axes):
        return False
    return (
        _same_model(config.model(str(task.axes["pipe"])), wanted["model_id"])
        and f"{task.axes['sched']}Scheduler" == wanted["scheduler"]
        and str(task.axes["steps"]) == str(wanted["num_inference_steps"])
    )


def _same_model(model: ModelInfo, model_id: str | None) -> bool:
    if model_id in DEMO_IDS:
        return model.model_id in DEMO_IDS
    return canonical_model(model.model_id) == canonical_model(model_id)
