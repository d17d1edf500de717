"""Whether a search reached what was asked of it, or how close it came."""

from dataclasses import dataclass

from accsearch.checkpoint.measured import results_of_plan
from accsearch.checkpoint.plan import load_plan
from accsearch.report import text
from accsearch.result_lines.best import decide, judge, reaches
from accsearch.result_lines.candidates import Candidate, TaskResults, candidates, prompts_to_settle
from accsearch.result_lines.proof_state import ProofState, proof_state
from accsearch.result_lines.stats import Interval
from accsearch.task import BASELINE, Task
from accsearch.workdir import WorkDir


@dataclass(frozen=True, slots=True)
class GoalAnswer:
    """The answer to `tune`, and one sentence that says it."""

    reached: bool
    text: str


def reached(workdir: WorkDir, task: Task, target_speedup: float, max_loss: float) -> GoalAnswer:
    """Say whether a trial of `task` is within `max_loss` and at least as fast as asked, beyond doubt.

    The whole interval counts: the lower end of the speed-up's, the upper end of the loss's. Of several trials the
    fastest is named; where none reaches both but one does by its mean values, the answer is that it is not decided.
    """
    plan = load_plan(workdir, task.config)
    results = next(each for each in results_of_plan(workdir, plan) if each.task.id == task.id)
    found = candidates(results)
    goal = f"{text.speedup(target_speedup)} within a loss of {text.percent(max_loss)}"
    if not found:
        return GoalAnswer(False, f"{task.name}: {goal} not reached: no baseline was measured")
    proof = proof_state(results, max_loss)
    within = [
        each for each in found if each.line.trial == BASELINE or judge(each, max_loss, proof) == "within"
    ]
    sure = [each for each in within if reaches(each.speedup_ci95, target_speedup)]
    if sure:
        return GoalAnswer(True, f"{task.name}: {goal} reached: {_shown(_fastest(sure))}")
    likely = [each for each in found if _by_mean(each, target_speedup, max_loss)]
    if likely:
        nearest = _fastest(likely)
        open_ends = _open_ends(results, nearest, target_speedup, max_loss, proof)
        return GoalAnswer(False, f"{task.name}: {goal} not decided: {_shown(nearest)}; {open_ends}")
    closest = f"{task.name}: {goal} not reached: of those within the loss, {_shown(_fastest(within))}"
    faster = [
        each
        for each in found
        if each.speedup > _fastest(within).speedup and judge(each, max_loss, proof) == "unresolved"
    ]
    if faster:
        other = _fastest(faster)
        closest += (
            f"; {other.line.trial} is {text.speedup(other.speedup)} but its loss is not settled: "
            f"{text.percent(other.score_loss, other.score_loss_ci95)}{_prompts(results, other, max_loss)}"
        )
    return GoalAnswer(False, closest)


def _fastest(among: list[Candidate]) -> Candidate:
    return max(among, key=lambda each: each.speedup)


def _by_mean(candidate: Candidate, target_speedup: float, max_loss: float) -> bool:
    loss = candidate.score_loss
    return candidate.speedup >= target_speedup and loss is not None and loss <= max_loss


def _open_ends(
    results: TaskResults,
    candidate: Candidate,
    target_speedup: float,
    max_loss: float,
    proof: ProofState | None,
) -> str:
    """Say which of the two intervals leaves the answer open, and what would settle it."""
    reasons = []
    if not reaches(candidate.speedup_ci95, target_speedup):
        advice = "a quieter machine or a larger worker.max_repeats would settle it"
        reasons.append(f"its speed-up is not settled: {_range(candidate.speedup_ci95)} ({advice})")
    if decide(candidate.score_loss, candidate.score_loss_ci95, max_loss) == "within":
        if judge(candidate, max_loss, proof) != "within":
            reasons.append("it was not confirmed on fresh prompts")
    else:
        loss = text.percent(candidate.score_loss, candidate.score_loss_ci95)
        reasons.append(f"its loss is not settled: {loss}{_prompts(results, candidate, max_loss)}")
    return ", and ".join(reasons)


def _range(interval: Interval | None) -> str:
    return (
        "no interval"
        if interval is None
        else f"from {text.speedup(interval[0])} to {text.speedup(interval[1])}"
    )


def _prompts(results: TaskResults, candidate: Candidate, max_loss: float) -> str:
    needed = prompts_to_settle(results, candidate.line, max_loss)
    return "" if needed is None else f" (about {needed} prompts would settle it)"


def _shown(candidate: Candidate) -> str:
    return (
        f"{candidate.line.trial} is {text.speedup(candidate.speedup, candidate.speedup_ci95)} "
        f"at a loss of {text.percent(candidate.score_loss, candidate.score_loss_ci95)}"
    )
