"""Durations and sizes."""

import pytest

from accsearch.config.load import build_config
from accsearch.config.schema import Config
from accsearch.config.units import parse_budget, parse_duration, parse_limit, parse_size


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("90s", 90),
        ("30m", 1800),
        ("12h", 43200),
        ("1d", 86400),
        ("1h30m", 5400),
        ("0.5h", 1800),
        (5, 5),
        (0.5, 0.5),
    ],
)
def test_durations_become_seconds(written: object, seconds: float) -> None:
    assert parse_duration(written) == seconds


@pytest.mark.parametrize("written", ["", "5", "m", "1:30", "-5s", -1, True, None, float("nan"), float("inf")])
def test_what_is_no_duration_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="allowed a duration"):
        parse_duration(written)


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("1GiB", 2**30),
        ("500MB", 5 * 10**8),
        ("1.5KiB", 1536),
        ("2T", 2 * 10**12),
        ("7B", 7),
        ("8", 8),
        (9, 9),
    ],
)
def test_sizes_become_bytes(written: object, size: int) -> None:
    assert parse_size(written) == size


@pytest.mark.parametrize("written", ["", "GiB", "1GG", "-1", -1, True, 1.5, None])
def test_what_is_no_size_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="allowed a size"):
        parse_size(written)


@pytest.mark.parametrize("nothing", [0, 0.0, "0s", "0h0m", None])
def test_a_limit_of_nothing_is_none(nothing: object) -> None:
    assert parse_limit(nothing) is None
    worker = {"kind": "command", "command": ["true"], "timeout": nothing, "stall_timeout": nothing}
    config = build_config({"name": "c", "grid": {"n": [1]}, "worker": worker})
    assert (config.worker.timeout, config.worker.stall_timeout) == (None, None)
    assert Config.from_resolved(config.resolved()) == config


@pytest.mark.parametrize(
    ("written", "budget"), [("2h", 7200.0), (20, 20), (None, None), ("90s", 90.0), (90.0, 90.0)]
)
def test_a_budget_is_a_duration_or_a_number_of_trials(written: object, budget: float | None) -> None:
    found = parse_budget(written)
    assert (found, type(found)) == (budget, type(budget))
    config = build_config(
        {
            "name": "c",
            "grid": {"pipe": ["demo"], "sched": ["DDIM"], "steps": [10]},
            "search": {"strategy": "upper_bound", "budget": written},
        }
    )
    again = Config.from_resolved(config.resolved())
    assert (again.search.budget, type(again.search.budget)) == (budget, type(budget))


@pytest.mark.parametrize("written", [0, -1, True, "0s", "soon", 0.0])
def test_what_is_no_budget_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="allowed a duration such as 30m or 2h, a number of trials, or null"):
        parse_budget(written)
