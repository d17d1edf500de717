"""Whether a search reached what was asked of it, or how close it came."""

from dataclasses import dataclass

from accsearch.checkpoint.measured import results_of_plan
from accsearch.checkpoint.plan import load_plan
from accsearch.report import text
from accsearch.results.best import best
from accsearch.task import Task
from accsearch.workdir import WorkDir


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to `tune`, and one sentence that says it."""

    reached: bool
    text: str


def reached(workdir: WorkDir, task: Task, target_speedup: float, max_loss: float) -> Verdict:
    """Say whether a trial of `task` is within `max_loss` and at least as fast as asked.

    The speed-up counts by its measured value, the loss by the upper end of its interval.
    """
    plan = load_plan(workdir, task.config)
    results = [each for each in results_of_plan(workdir, plan) if each.task.id == task.id]
    rows = best(results, [max_loss]).rows
    goal = f"{text.speedup(target_speedup)} within a loss of {text.percent(max_loss)}"
    if not rows:
        return Verdict(False, f"{task.name}: {goal} not reached: no baseline was measured")
    within = rows[0].candidate
    found = (
        f"{within.line.trial} is {text.speedup(within.speedup, within.speedup_ci95)} "
        f"at a loss of {text.percent(within.score_loss, within.score_loss_ci95)}"
    )
    if within.speedup >= target_speedup:
        return Verdict(True, f"{task.name}: {goal} reached: {found}")
    closest = f"{task.name}: {goal} not reached: of those within the loss, {found}"
    if len(rows) > 1:
        other = rows[1].candidate
        closest += (
            f"; {other.line.trial} is {text.speedup(other.speedup)} but its loss is not settled: "
            f"{text.percent(other.score_loss, other.score_loss_ci95)}"
        )
        if other.line.prompts_needed is not None:
            closest += f" (about {other.line.prompts_needed} prompts would settle it)"
    return Verdict(False, closest)
