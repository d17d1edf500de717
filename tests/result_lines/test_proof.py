"""What `best` says where an upper-bound search has confirmed its answer, or left trials open."""

import json
from typing import Any

import pytest

from accsearch.report import text
from accsearch.result_lines.best import Best, best, judge
from accsearch.result_lines.candidates import TaskResults
from accsearch.result_lines.confirmed import Confirmed
from accsearch.result_lines.line import ResultLine
from accsearch.result_lines.proof import LimitProof, OpenState, Proof
from accsearch.task import BASELINE, Task, Trial

SCORES = (30.0, 31.0, 29.0, 30.5)
CONFIRMED = Confirmed(1.9, (1.85, 1.95), 0.004, (0.001, 0.008), 64, 4242, scores=(30.0,), log_ratios=(0.6,))


def line(trial: str, **changes: Any) -> ResultLine:
    given: dict[str, Any] = {"methods": {} if trial == BASELINE else {"tome": {}}, "seconds_per_image": 1.0}
    given |= {"task": "T", "key": "k", "attempt": 1, "status": "ok", "scores": SCORES}
    return ResultLine(**given | {"trial": trial} | changes)


def raced(trial: str, speedup: float, loss: float = 0.002, **changes: Any) -> ResultLine:
    interval = {"score_loss_ci95": (loss - 0.002, loss + 0.002)}
    return line(trial, **{"speedup": speedup, "score_loss": loss} | interval | changes)


def searched(
    answer: str | None,
    left_open: dict[str, OpenState],
    *lines: ResultLine,
    confirm: bool = True,
    **ended: Any,
) -> TaskResults:
    proof = Proof(0.95, confirm, 0.02, (LimitProof(0.01, answer, left_open),), **ended)
    found = {each.trial: each for each in (line(BASELINE, search=proof), *lines)}
    trials = tuple(Trial(name, {}) for name in {*found, *left_open})
    return TaskResults(Task("T", "c", {"pipe": "p", "steps": 4}, "d", trials), found)


def rows(results: TaskResults, limit: float = 0.01) -> tuple[Best, ...]:
    return best([results], [limit]).rows


def test_a_confirmed_winner_is_printed_by_its_confirmed_figures_beside_those_it_won_by() -> None:
    [row] = rows(searched("fast", {}, raced("fast", 2.0, confirmed=CONFIRMED)))

    found = row.to_json()
    assert (found["speedup"], found["speedup_ci95"], found["score_loss"]) == (1.9, [1.85, 1.95], 0.004)
    assert found["won"] == {
        "speedup": 2.0,
        "speedup_ci95": None,
        "score_loss": 0.002,
        "score_loss_ci95": (0.0, 0.004),
    }
    assert found["confirmed"]["prompts"] == 64
    assert "scores" not in found["confirmed"]
    assert (found["proof"]["complete"], found["proof"]["confidence"]) == (True, 0.95)
    json.dumps(found, allow_nan=False)


def test_what_was_not_confirmed_is_unresolved_where_the_search_confirms() -> None:
    lines = (raced("faster", 3.0), raced("fast", 2.0, confirmed=CONFIRMED))

    within, unresolved = rows(searched("fast", {"faster": "unconfirmed"}, *lines))

    assert (within.candidate.line.trial, unresolved.candidate.line.trial) == ("fast", "faster")
    assert unresolved.decision == "unresolved"
    [only] = rows(searched("faster", {}, *lines, confirm=False))
    assert (only.decision, only.candidate.line.trial) == ("within", "faster")


def test_what_is_confirmed_for_a_looser_limit_alone_is_not_within_the_stricter_one() -> None:
    proof = Proof(0.95, True, 0.02, (LimitProof(0.01, None, {}), LimitProof(0.05, "fast", {})))
    lines = (line(BASELINE, search=proof), raced("fast", 2.0, confirmed=CONFIRMED))
    task = Task("T", "c", {}, "d", (Trial("fast", {}),))

    strict, loose = best([TaskResults(task, {each.trial: each for each in lines})], [0.01, 0.05]).rows

    assert (strict.candidate.line.trial, loose.candidate.line.trial) == (BASELINE, "fast")


def test_a_limit_that_was_not_searched_is_judged_by_the_lines_alone() -> None:
    results = searched("fast", {}, raced("faster", 3.0, 0.02), raced("fast", 2.0, confirmed=CONFIRMED))

    [row] = rows(results, 0.05)

    assert (row.candidate.line.trial, row.proof) == ("faster", None)
    assert judge(row.candidate, 0.05, None) == "within"


def test_only_what_the_search_left_open_is_named_as_perhaps_faster() -> None:
    wide: dict[str, Any] = {"score_loss_ci95": (-0.1, 0.1)}
    lines = (
        raced("excluded", 4.0, **wide),
        raced("open", 3.0, **wide),
        raced("fast", 2.0, confirmed=CONFIRMED),
    )

    _, unresolved = rows(searched("fast", {"open": "unresolved"}, *lines))

    assert unresolved.candidate.line.trial == "open"


def test_the_proof_names_what_is_open_and_counts_what_was_not_measured() -> None:
    scores = (29.9, 31.0, 28.9, 30.5)
    left_open: dict[str, OpenState] = {
        "slow": "unresolved",
        "open": "unresolved",
        "broken": "unconfirmed",
        "later": "not reached",
    }
    lines = (
        raced("slow", 2.1, scores=scores[:2], status="pruned"),
        raced("open", 3.0, scores=scores),
        raced("broken", 2.5),
        raced("fast", 2.0, confirmed=CONFIRMED),
    )
    within, _ = rows(searched("fast", left_open, *lines, ended="budget"))

    proof = within.to_json()["proof"]
    assert [each["trial"] for each in proof["open"]] == ["open", "broken", "slow", "later"]
    assert [each["prompts_needed"] is not None for each in proof["open"]] == [True, False, True, False]
    shown = text.proof(proof)
    assert "open (3.00x, loss 0.20 %, about" in shown
    assert "broken (2.50x, loss 0.20 %, not confirmed on fresh prompts)" in shown
    assert shown.endswith("1 not measured when the budget ended")


def test_a_trial_listed_after_the_search_is_open() -> None:
    results = searched(None, {})
    later = Task("T", "c", {"pipe": "p"}, "d", (Trial("new", {}),))

    [row] = rows(TaskResults(later, results.lines))

    assert row.proof is not None
    assert [each.trial for each in row.proof.open] == ["new"]


@pytest.mark.parametrize(
    ("repeated", "said"),
    [(0, "confirmed on 64 fresh prompts"), (48, "confirmed on 64 new images, 48 of prompts seen before")],
)
def test_where_prompts_were_lacking_the_confirmation_says_so(repeated: int, said: str) -> None:
    found = CONFIRMED.to_json() | {"repeated": repeated}

    assert text.confirmation(found).startswith(said)


def test_a_line_keeps_its_confirmation_and_the_proof() -> None:
    proof = Proof(0.9, True, 0.1, (LimitProof(0.01, None, {"x": "not reached"}),), "target")
    given = line(BASELINE, confirmed=CONFIRMED, search=proof, calls_left=1.0)

    assert ResultLine.from_json(json.loads(json.dumps(given.to_json()))) == given


@pytest.mark.parametrize("damaged", [{"confirmed": {"speedup": 1.0}}, {"search": {"bounds": []}}])
def test_a_damaged_confirmation_or_proof_is_no_line(damaged: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        ResultLine.from_json(line(BASELINE).to_json() | damaged)
