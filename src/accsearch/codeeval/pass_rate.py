"""Pass rate per level and achievement rate of a benchmark, after DiffBench (arXiv 2601.03178).

A task passes if its file is evaluated `ok`, agrees with the reference on all five fields where there is one,
has methods that do something, and keeps the limits that the task states.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from accsearch.codeeval.benchmark import BenchmarkTask
from accsearch.codeeval.evaluation import Evaluation
from accsearch.codeeval.static import compare_static

Limit = tuple[str, float | None, float | None, Literal["under", "over"]]
"""What is measured, its value, the limit if the task states one, and the wrong side of it."""


@dataclass(frozen=True, slots=True)
class TaskGrade:
    """The grade of one task; `why` says why it did not pass, None if it did."""

    task: BenchmarkTask
    evaluation: Evaluation | None
    static_rate: float | None
    why: str | None

    @property
    def passed(self) -> bool:
        return self.why is None

    @property
    def achievement(self) -> float | None:
        """The speed-up over the upper bound where one is known, else over the one asked for (1 at most).

        It is 0 for a file that was not measured as `ok`, whose images are worse than the task allows, or that is not
        faster than its baseline beyond doubt where a speed-up above 1 is asked for.
        """
        if self.evaluation is None or self.evaluation.verdict != "ok" or self.evaluation.speedup is None:
            return 0.0
        if _broken_limit(_quality_limits(self.task, self.evaluation)) is not None:
            return 0.0
        if self.evaluation.upper_bound is not None:
            return self.evaluation.upper_bound["achievement"]
        if self.task.min_speedup is not None:
            if self.task.min_speedup > 1 and not self.evaluation.gains:
                return 0.0
            return min(1.0, self.evaluation.speedup / self.task.min_speedup)
        return None

    def to_json(self) -> dict[str, Any]:
        """Return the row as `evaluate --json` prints it."""
        return {
            "id": self.task.id,
            "level": self.task.level,
            "passed": self.passed,
            "why": self.why,
            "static_match_rate": self.static_rate,
            "achievement": self.achievement,
            "evaluation": None if self.evaluation is None else self.evaluation.to_json(),
        }


def judge(task: BenchmarkTask, evaluation: Evaluation | None, state: str = "") -> TaskGrade:
    """Return the grade of a task, given its evaluation; without one `state` says why there is none."""
    static = None if task.reference is None else compare_static(task.reference, task.generated)
    rate = None if static is None else static["match_rate"]
    why = f"not evaluated: {state}" if evaluation is None else _why(task, evaluation, static)
    return TaskGrade(task, evaluation, rate, why)


def _why(task: BenchmarkTask, evaluation: Evaluation, static: Mapping[str, Any] | None) -> str | None:
    if evaluation.verdict != "ok":
        return f"{evaluation.verdict}: {evaluation.error}"
    if static is not None and static["verdict"] != "match":
        wrong = [name for name, each in static["fields"].items() if not each["match"]]
        because = (
            "only a run can tell" if static["verdict"] == "undetermined" else "differs from the reference"
        )
        return f"{because}: " + ", ".join(wrong)
    if evaluation.active is False:
        return "its methods do nothing: every image equals the baseline's"
    return _broken_limit(
        (
            ("speedup", evaluation.speedup, task.min_speedup, "under"),
            *_quality_limits(task, evaluation),
            ("accelerated_time", evaluation.accelerated_time, task.max_latency, "over"),
        )
    )


def _quality_limits(task: BenchmarkTask, evaluation: Evaluation) -> tuple[Limit, ...]:
    return (
        ("relative_quality_loss", evaluation.relative_quality_loss, task.max_loss, "over"),
        ("accelerated_score", evaluation.accelerated_score, task.min_score, "under"),
    )


def _broken_limit(limits: Iterable[Limit]) -> str | None:
    """Name the first limit that a value breaks, None if all are kept; an unknown value breaks any limit."""
    for name, value, limit, side in limits:
        if limit is None:
            continue
        if value is None or (value < limit if side == "under" else value > limit):
            return f"{name} {'unknown' if value is None else f'{value:.3g}'} is {side} {limit:g}"
    return None


def summary(grades: Sequence[TaskGrade]) -> list[dict[str, Any]]:
    """Return one row a level in the order of the benchmark, then one for all of them (`level` null)."""
    levels = list(dict.fromkeys(each.task.level for each in grades))
    groups: list[tuple[str | None, list[TaskGrade]]] = [
        (level, [each for each in grades if each.task.level == level]) for level in levels
    ]
    return [_row(level, members) for level, members in [*groups, (None, list(grades))]]


def _row(level: str | None, members: Sequence[TaskGrade]) -> dict[str, Any]:
    rates = [each.achievement for each in members if each.achievement is not None]
    static = [each.static_rate for each in members if each.static_rate is not None]
    return {
        "level": level,
        "tasks": len(members),
        "passed": sum(each.passed for each in members),
        "pass_rate": sum(each.passed for each in members) / len(members) if members else None,
        "static_match_rate": sum(static) / len(static) if static else None,
        "achievement_rate": sum(rates) / len(rates) if rates else None,
    }
