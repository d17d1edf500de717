"""Which trials deserve precise times."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from accsearch.result_lines.best import best
from accsearch.result_lines.candidates import TaskResults
from accsearch.result_lines.frontier import rough_answers, rough_frontier
from accsearch.result_lines.line import ResultLine
from accsearch.task import BASELINE, Task, Trial

Interval = tuple[float, float]
LIMITS = (0.01, 0.1)


def line(trial: str, speedup: Interval, loss: Interval, **more: Any) -> ResultLine:
    given: dict[str, Any] = {"methods": {"tome": {"ratio": 0.5}}, "timing": "batches", **more}
    return ResultLine(
        task="t",
        trial=trial,
        key="k",
        attempt=1,
        status="ok",
        seconds_per_image=1.0,
        speedup=sum(speedup) / 2,
        speedup_ci95=speedup,
        score_loss=sum(loss) / 2,
        score_loss_ci95=loss,
        scores=(30.0, 31.0),
        **given,
    )


def lines_of(*trials: ResultLine) -> tuple[Task, Mapping[str, ResultLine]]:
    baseline = line(BASELINE, (1.0, 1.0), (0.0, 0.0), methods={})
    lines = {each.trial: each for each in (baseline, *trials)}
    return Task("t", "c", {}, "", tuple(Trial(each.trial, each.methods) for each in lines.values())), lines


def ids(lines: list[ResultLine]) -> list[str]:
    return [each.trial for each in lines]


GOOD, BAD, OPEN = (-0.01, 0.005), (0.2, 0.3), (0.0, 0.15)


def test_answers_are_what_best_prints_under_any_limit() -> None:
    task, lines = lines_of(
        line("good", (1.5, 1.7), GOOD),
        line("slower", (1.4, 1.6), GOOD),
        line("lossy", (2.0, 2.2), (0.02, 0.08)),
        line("open", (3.0, 3.2), OPEN),
        line("bad", (9.0, 9.9), BAD),
    )

    assert ids(rough_answers(task, lines, LIMITS)) == ["open", "lossy", "good"]
    assert best([TaskResults(task, lines)], (0.01,)).notes == tuple(
        f"c/t: {trial}: timed as its images were made, not in turn with the baseline"
        for trial in ("good", "open")
    )
    assert ids(rough_answers(task, lines, LIMITS[:1])) == ["open", "good"]


def test_the_frontier_leaves_out_what_is_surely_slower_than_another_within() -> None:
    task, lines = lines_of(
        line("good", (1.5, 1.7), GOOD),
        line("near", (1.3, 1.55), GOOD),
        line("slower", (1.3, 1.45), GOOD),
        line("open", (3.0, 3.2), OPEN),
        line("open slower", (1.6, 2.9), OPEN),
        line("bad", (9.0, 9.9), BAD),
    )

    assert ids(rough_frontier(task, lines, LIMITS[:1])) == ["open", "good", "near"]


def test_a_trial_without_an_interval_may_be_anything() -> None:
    unknown = replace(line("unknown", (1.1, 1.1), GOOD), speedup_ci95=None)
    task, lines = lines_of(line("good", (1.5, 1.7), GOOD), unknown)

    assert ids(rough_frontier(task, lines, LIMITS)) == ["good", "unknown"]


def test_what_is_precise_inactive_or_no_faster_is_not_timed_again() -> None:
    task, lines = lines_of(
        line("precise", (1.5, 1.7), GOOD, timing="pairs"),
        line("idle", (5.0, 6.0), GOOD, active=False),
        line("slow", (0.8, 0.9), GOOD),
    )

    assert rough_answers(task, lines, LIMITS) == []
    assert rough_frontier(task, lines, LIMITS) == []
