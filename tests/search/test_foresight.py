"""The chance that more prompts decide is how often they do."""

import random

import pytest

from accsearch.result_lines.stats import paired_loss_bound
from accsearch.search.foresight import chance_above, chance_within

RISK = 0.01


def scores(rng: random.Random, loss: float, prompts: int) -> tuple[list[float], list[float]]:
    baseline = [30 + rng.gauss(0, 2) for _ in range(prompts)]
    return baseline, [value * (1 - loss + rng.gauss(0, 0.02)) for value in baseline]


def test_with_all_prompts_it_is_known() -> None:
    for loss, chance in ((0.0, 1.0), (0.04, 0.0)):
        baseline, trial = scores(random.Random(1), loss, 64)
        assert chance_within(baseline, trial, 0.02, RISK, 64) == chance


def test_it_is_calibrated_where_nothing_is_known_before() -> None:
    # Losses of every size are as likely, as the forecast takes them to be; those forecast near a half are looked at.
    rng, held = random.Random(2), []
    for _ in range(4000):
        baseline, trial = scores(rng, rng.uniform(0.0, 0.03), 128)
        if 0.35 <= chance_within(baseline[:32], trial[:32], 0.02, RISK, 128) <= 0.65:
            upper = paired_loss_bound(baseline, trial, RISK)
            assert upper is not None
            held.append(upper <= 0.02)
    assert sum(held) / len(held) == pytest.approx(0.5, abs=0.12)


def test_above_mirrors_within() -> None:
    baseline, trial = scores(random.Random(3), 0.03, 32)
    above = chance_above(baseline, trial, 0.02, RISK, 128)
    mirrored = [2 * 0.98 * before - after for before, after in zip(baseline, trial, strict=True)]
    assert above == pytest.approx(chance_within(baseline, mirrored, 0.02, RISK, 128), abs=0.01)
    assert above > 0.5 > chance_within(baseline, trial, 0.02, RISK, 128)


def test_without_scores_there_is_no_chance() -> None:
    assert chance_within([1.0], [1.0], 0.02, RISK, 8) == 0.0
    assert chance_within([-1.0, -2.0], [-1.0, -2.0], 0.02, RISK, 8) == 0.0


def test_equal_scores_are_surely_within() -> None:
    assert chance_within([30.0, 31.0], [30.0, 31.0], 0.01, RISK, 8) == 1.0
    assert chance_within([30.0, 30.0], [15.0, 15.0], 0.01, RISK, 8) == 0.0
