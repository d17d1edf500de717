"""The statistics of paired times."""

import math
import random
from statistics import fmean

import pytest

from accsearch.worker.paired_times import Speedup, is_stable, outliers, pairs_needed, speedup


def normal(source: random.Random) -> float:
    return source.gauss(0, 0.02)


def quiet(source: random.Random) -> float:
    return source.gauss(0, 0.004)


def disturbed(source: random.Random) -> float:
    jump = source.choice((-1, 1)) * source.expovariate(5) if source.random() < 0.1 else 0
    return source.gauss(0, 0.02) + jump


@pytest.mark.parametrize("draw", [normal, quiet, disturbed])
@pytest.mark.parametrize(("pilot", "cap"), [(2, 3), (3, 10), (6, 30), (1, 5), (4, 4)])
def test_intervals_hold_the_truth_as_often_as_they_say(draw: object, pilot: int, cap: int) -> None:
    source = random.Random(pilot)
    held, runs = 0, 600

    for _ in range(runs):
        pairs = [draw(source) for _ in range(pilot)]  # type: ignore[operator]
        while len(pairs) < pairs_needed(pairs, pilot, 0.01, cap):
            pairs += [draw(source) for _ in range(pairs_needed(pairs, pilot, 0.01, cap) - len(pairs))]  # type: ignore[operator]
        interval = speedup(pairs, pilot, cap).interval
        assert interval is not None
        held += interval[0] <= 1 <= interval[1]

    # 95 % less three standard errors of a share measured 600 times.
    assert held / runs > 0.95 - 3 * math.sqrt(0.95 * 0.05 / runs)


def test_quiet_pairs_need_no_more_than_the_pilot() -> None:
    assert pairs_needed([0.5, 0.5001, 0.4999], 3, 0.01, 50) == 3


def test_noisy_pairs_are_repeated_up_to_the_cap() -> None:
    assert pairs_needed([0.5, 0.9, 0.1], 3, 0.01, 50) == 50


def test_the_asked_width_is_reached_when_the_cap_allows() -> None:
    source = random.Random(3)
    pilot = [normal(source) for _ in range(10)]
    needed = pairs_needed(pilot, 10, 0.01, 10_000)

    interval = speedup(pilot + [normal(source) for _ in range(needed - 10)], 10, 10_000).interval

    assert interval is not None
    assert (interval[1] - interval[0]) / 2 <= 0.0101


def test_a_single_pair_has_no_interval() -> None:
    measured = speedup([math.log(2)], 1, 1)

    assert measured.value == pytest.approx(2)
    assert measured.interval is None


def test_a_plain_sample_has_students_interval() -> None:
    pairs = [0.01, 0.02, 0.03]

    interval = speedup(pairs, 3, 3).interval

    # t of two degrees of freedom at 97.5 % is 4.3027; the spread is 0.01.
    half = 4.3027 * 0.01 / math.sqrt(3)
    assert interval == pytest.approx((math.exp(fmean(pairs) - half), math.exp(fmean(pairs) + half)), rel=1e-4)


def test_one_disturbed_pair_of_ten_hardly_moves_the_speed_up() -> None:
    measured = speedup([math.log(2)] * 4 + [math.log(2.01)] * 5 + [math.log(20)], 3, 10)

    assert measured.value == pytest.approx(2, rel=0.01)


def test_outliers_are_marked_by_index() -> None:
    assert outliers([1.0, 1.01, 0.99, 1.02, 3.0]) == (4,)
    assert outliers([1.0, 1.0, 1.0]) == ()


def test_one_time_stands_out_among_equal_ones() -> None:
    assert outliers([1.0, 1.0, 1.0, 3.0]) == (3,)
    assert outliers([1.0, 1.0, 1.0, 3.0, 3.0]) == ()


def test_an_interval_is_compared_with_a_width_by_its_logarithms() -> None:
    assert Speedup(2.0, (2.0 * math.exp(-0.01), 2.0 * math.exp(0.0099))).is_within(0.01)
    assert not Speedup(2.0, (2.0 * math.exp(-0.01), 2.0 * math.exp(0.0101))).is_within(0.01)
    assert not Speedup(2.0, None).is_within(0.01)


def test_warm_up_is_over_when_the_last_run_is_no_slower() -> None:
    assert not is_stable([])
    assert not is_stable([1.0])
    assert not is_stable([1.0, 0.5, 0.7])
    assert not is_stable([1.0, 0.7, 0.5])
    assert is_stable([1.0, 0.5, 0.52])
