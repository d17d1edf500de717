"""The results of a work directory's tasks: those that are the stored plan's own, and on request the others."""

from collections.abc import Iterator, Mapping, Sequence

from accsearch.checkpoint.markers import DamagedMarker, read_done
from accsearch.checkpoint.plan import StoredPlan
from accsearch.config.schema import Config
from accsearch.grid.other_settings import OtherSetting, other_settings
from accsearch.grid.reuse import own_lines
from accsearch.result_lines.candidates import TaskResults
from accsearch.result_lines.file import latest, read
from accsearch.result_lines.line import ResultLine
from accsearch.task import BASELINE, Task
from accsearch.workdir import WorkDir


def results_of_plan(workdir: WorkDir, plan: StoredPlan, *, others: bool = False) -> list[TaskResults]:
    """Return the results of each traversal task of a plan, in its order, then of those that only earlier plans had.

    What was measured in another setting than the plan's counts as not measured. With `others` it follows its task,
    marked, as results of its own.
    """
    found: list[TaskResults] = []
    for task in plan.grid.tasks:
        found.extend(_task(workdir, plan, task, others, in_plan=True))
    for task in plan.outside.tasks:
        found.extend(each for each in _task(workdir, plan, task, others, in_plan=False) if each.lines)
    return found


def _task(
    workdir: WorkDir, plan: StoredPlan, task: Task, others: bool, *, in_plan: bool
) -> Iterator[TaskResults]:
    if not task.trials:
        return
    config = plan.grid.config if in_plan else plan.outside.config
    lines = read(workdir.task(task.config, task.id).results)
    own, apart = own_lines(config, task, lines), other_settings(config, task, lines)
    if plan.launch.get("keep_stale") and (accepted := _accepted(workdir, task, lines, apart)) is not None:
        other = f"{accepted.difference}, accepted by --keep-stale"
        yield _split(config, task, accepted.lines, in_plan, other)
        return
    left_out = sum(own.get(name) != line for each in apart for name, line in each.lines.items())
    yield _split(config, task, own, in_plan, left_out=0 if others else left_out)
    if others:
        for each in apart:
            yield _split(config, task, each.lines, in_plan, each.difference)


def _split(
    config: Config,
    task: Task,
    lines: Mapping[str, ResultLine],
    in_plan: bool,
    other: str | None = None,
    left_out: int = 0,
) -> TaskResults:
    trials = {name: line for name, line in lines.items() if line.condition is None}
    conditions = {name: line for name, line in lines.items() if line.condition is not None}
    return TaskResults(task, trials, conditions, in_plan, other, left_out, config.search.max_lpips)


def _accepted(
    workdir: WorkDir, task: Task, lines: Sequence[ResultLine], apart: Sequence[OtherSetting]
) -> OtherSetting | None:
    """Return the other setting in which a task was finished whose marker the user has accepted as it is."""
    try:
        done = read_done(workdir.task(task.config, task.id).done)
    except DamagedMarker:
        return None
    if done is None or done.digest == task.digest:
        return None
    base = latest(lines).get(BASELINE)
    return next((each for each in apart if base is not None and each.lines.get(BASELINE) == base), None)
