"""Exclusion keeps its risk: over looks, over configurations, and as an independent test has it."""

import random

import pytest
from scipy import stats

from accsearch.search.exclusion import Fallback, exceeds_p_value, looks, share


def test_the_p_value_is_that_of_a_paired_t_test() -> None:
    rng = random.Random(1)
    baseline = [30 + rng.gauss(0, 2) for _ in range(12)]
    trial = [value * 0.97 + rng.gauss(0, 0.5) for value in baseline]
    theirs = stats.ttest_rel([0.99 * value for value in baseline], trial, alternative="greater").pvalue
    assert exceeds_p_value(baseline, trial, 0.01) == pytest.approx(theirs, rel=1e-6)


def test_equal_differences_are_decided_by_their_sign() -> None:
    assert exceeds_p_value([10.0, 10.0], [9.0, 9.0], 0.01) == 0.0
    assert exceeds_p_value([10.0, 10.0], [10.0, 10.0], 0.01) == 1.0
    assert exceeds_p_value([10.0], [1.0], 0.01) == 1.0


def test_looks_double_and_end_with_all_batches() -> None:
    assert looks(8) == (1, 2, 4, 8)
    assert looks(6) == (1, 2, 4, 6)
    assert looks(1) == (1,)


def test_shares_add_up_to_the_risk() -> None:
    assert sum(share(0.05, number) for number in range(1, 10_000)) == pytest.approx(0.05, rel=1e-3)


def test_the_risk_of_an_excluded_one_passes_on_and_any_other_is_spent() -> None:
    fallback = Fallback(0.06)
    assert fallback.available() == pytest.approx(0.03)
    fallback.settle(excluded=True)
    assert fallback.available() == pytest.approx(0.03 + 0.01)
    fallback.settle(excluded=False)
    assert fallback.available() == pytest.approx(0.005)


def test_the_family_wise_error_stays_below_the_risk() -> None:
    # All ten configurations are just within the limit and share their noise; excluding any is an error.
    rng, errors, rounds = random.Random(2), 0, 150
    for _ in range(rounds):
        fallback, common = Fallback(0.1), [rng.gauss(0, 1) for _ in range(16)]
        for _ in range(10):
            baseline = [30.0] * 16
            trial = [30 * 0.99 + each + rng.gauss(0, 0.5) for each in common]
            risk = fallback.available() / len(looks(4))
            excluded = any(
                exceeds_p_value(baseline[: 4 * look], trial[: 4 * look], 0.01) <= risk for look in looks(4)
            )
            fallback.settle(excluded=excluded)
            if excluded:
                errors += 1
                break
    assert errors / rounds <= 0.1
