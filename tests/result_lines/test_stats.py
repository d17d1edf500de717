import math
import random

import pytest

from accsearch.result_lines.stats import (
    paired_loss_interval,
    prompts_needed,
    relative_loss,
    speedup_interval,
    t_cdf,
    t_quantile,
)

# Two-sided 95 % points of Student's t from printed tables.
TABLE = [
    (1, 12.7062),
    (2, 4.3027),
    (3, 3.1824),
    (4, 2.7764),
    (5, 2.5706),
    (10, 2.2281),
    (29, 2.0452),
    (31, 2.0395),
]


@pytest.mark.parametrize(("df", "t"), [*TABLE, (120, 1.9799), (500, 1.9647), (501, 1.9647), (10_000, 1.9602)])
def test_t_quantile_agrees_with_tables(df, t):
    assert t_quantile(df) == pytest.approx(t, abs=6e-5)


def test_t_cdf_is_symmetric():
    assert t_cdf(-1.3, 7) == pytest.approx(1 - t_cdf(1.3, 7))
    assert t_cdf(0.0, 4) == 0.5


def test_other_levels():
    assert t_quantile(7, 0.995) == pytest.approx(3.4995, abs=6e-5)


def test_loss_is_relative_to_the_baseline():
    assert relative_loss(30.0, 29.7) == pytest.approx(0.01)
    assert relative_loss(0.0, 1.0) is None
    assert relative_loss(None, 1.0) is None


def test_pairing_removes_the_spread_of_the_prompts():
    baseline = [20.0, 40.0, 30.0, 25.0, 35.0]
    trial = [score * 0.99 for score in baseline]

    low, high = paired_loss_interval(baseline, trial)

    assert low == pytest.approx(0.01) == high


def test_the_loss_interval_covers_the_truth_at_its_level():
    generator = random.Random(1)
    hits = 0
    for _ in range(400):
        baseline = [generator.gauss(30, 3) for _ in range(16)]
        trial = [0.98 * score + generator.gauss(0, 0.6) for score in baseline]
        low, high = paired_loss_interval(baseline, trial)
        hits += low <= 0.02 <= high

    assert 365 <= hits <= 395


@pytest.mark.parametrize(("a", "b"), [([1.0], [1.0]), ([1.0, 2.0], [1.0]), ([-1.0, 0.5], [1.0, 1.0])])
def test_no_interval_where_none_can_be_had(a, b):
    assert paired_loss_interval(a, b) is None
    assert prompts_needed(a, b, 0.01) is None


def test_prompts_needed_settles_the_limit():
    generator = random.Random(2)
    baseline = [generator.gauss(30, 3) for _ in range(64)]
    trial = [0.995 * score + generator.gauss(0, 0.8) for score in baseline]

    few = prompts_needed(baseline, trial, 0.05)
    many = prompts_needed(baseline, trial, 0.01)

    assert few < many
    assert prompts_needed(baseline, [score * 0.9 for score in baseline], 0.05) is None


def test_speedup_interval_covers_the_truth_at_its_level():
    generator = random.Random(3)
    hits = 0
    for _ in range(400):
        reference = [2.0 * math.exp(generator.gauss(0, 0.02)) for _ in range(7)]
        trial = [1.0 * math.exp(generator.gauss(0, 0.05)) for _ in range(5)]
        low, high = speedup_interval(reference, trial)
        hits += low <= 2.0 <= high

    assert 365 <= hits <= 398


def test_speedup_interval_of_constant_times_is_a_point():
    assert speedup_interval([2.0, 2.0], [1.0, 1.0]) == pytest.approx((2.0, 2.0))
    assert speedup_interval([2.0], [1.0, 1.0]) is None
