"""Times are predicted from the costs of calls, with a band that learns from its errors."""

import pytest

from accsearch.search.costs import WIDE, Band, Trace, costs_of, to_trace


def test_a_prediction_is_the_sum_of_its_calls_and_the_rest() -> None:
    costs = costs_of([Trace(("", "a", "a"), (3.1, 1.0, 1.2), 6.1), Trace(("", ""), (3.0, 3.4), 7.2)])
    assert costs.calls == pytest.approx({"": 3.1, "a": 1.1})
    assert costs.rest == pytest.approx(0.8)
    assert costs.predict(("", "a", "a", "a")) == pytest.approx(3.1 + 3 * 1.1 + 0.8)
    assert costs.predict(("", "unknown")) is None


def test_disturbed_traces_do_not_move_a_cost_while_one_in_four_is_calm() -> None:
    calm, disturbed = Trace(("", ""), (1.0, 1.0), 2.0), Trace(("", ""), (1.0, 60.0), 61.0)
    assert costs_of([calm, disturbed, disturbed]).calls[""] == 1.0
    assert costs_of([disturbed] * 5 + [calm] * 2).calls[""] == 1.0


def test_a_kind_whose_calls_are_skipped_as_the_images_ask_costs_what_it_does_on_average() -> None:
    costs = costs_of([Trace(("cache",) * 4, (0.0, 0.0, 0.0, 1.0), 1.0)])
    assert costs.predict(("cache",) * 4) == 1.0


def test_traced_configurations_have_every_kind_as_often_as_asked() -> None:
    calls = {"baseline": ("",) * 4, "a": ("", "x"), "b": ("x", "y"), "c": ("", "x", "y"), "d": ("z",)}
    chosen = to_trace(calls, 2)
    for kind in ("", "x", "y", "z"):
        having = [id_ for id_ in calls if kind in calls[id_]]
        assert sum(kind in calls[id_] for id_ in chosen) >= min(2, len(having))
    assert len(chosen) == len(set(chosen))


def test_the_band_is_wide_until_it_has_seen_enough() -> None:
    band = Band(0.025)
    assert band.half_width() == WIDE
    for _ in range(3):
        band.saw(1.0, 1.0, 0.01, 0.02)
    assert band.half_width() == WIDE
    assert not band.surely_longer([1.9], 1.0) and band.surely_longer([2.1], 1.0)


def test_exact_predictions_make_a_narrow_band_and_one_wrong_one_widens_it() -> None:
    band = Band(0.025)
    for measured in (1.0, 1.01, 0.99, 1.0, 1.005, 0.995):
        band.saw(1.0, measured, 0.01, 0.02)
    assert band.half_width() < 0.05
    assert band.surely_longer([1.05, 1.5, 1.6], 1.0)
    band.saw(1.0, 0.7, 0.01, 0.02)
    assert band.half_width() > 0.25
    assert not band.surely_longer([1.05, 1.5, 1.6], 1.0)


def test_measured_ones_that_took_longer_than_predicted_do_not_make_the_others_slower() -> None:
    band = Band(0.025)
    for measured in (5.0, 5.1, 4.9, 5.0, 5.05):
        band.saw(1.0, measured, 0.01, 0.02)
    assert not band.surely_longer([0.9], 1.0)
    assert band.surely_longer([1.2], 1.0)


def test_what_a_slow_machine_lengthened_does_not_widen_the_band() -> None:
    calm, disturbed = Band(0.025), Band(0.025)
    for measured in (0.99, 0.995, 1.0, 1.0, 1.0, 1.005, 1.01, 0.985):
        calm.saw(1.0, measured, 0.001, 0.002)
        disturbed.saw(1.0, measured if measured <= 1 else 1.8, 0.001, 0.002)
    assert disturbed.half_width() == pytest.approx(calm.half_width())


def test_what_is_not_measured_is_as_surely_longer_as_all_of_it_together() -> None:
    band = Band(0.025)
    for measured in (1.0, 1.01, 0.99, 1.0, 1.005, 0.995):
        band.saw(1.0, measured, 0.01, 0.02)
    one = [1.03]
    assert band.surely_longer(one, 1.0)
    assert not band.surely_longer(one * 50, 1.0), "fifty of them have fifty times the risk"
    assert band.surely_longer(one + [2.0] * 1000, 1.0), "what is far off costs nothing"
    assert not band.surely_longer([0.0], 1.0), "what could not be predicted may always be faster"


def test_noise_of_the_measurements_is_not_taken_for_errors_of_the_predictions() -> None:
    noisy, exact = Band(0.025), Band(0.025)
    for measured in (0.9, 1.1, 0.92, 1.08, 0.95, 1.05):
        noisy.saw(1.0, measured, 0.1, 0.2)
        exact.saw(1.0, measured, 0.001, 0.002)
    assert noisy.half_width() < exact.half_width() / 3
