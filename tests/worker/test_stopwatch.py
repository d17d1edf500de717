"""Races and warm-up against a clock that only the runs themselves move."""

import gc
import math
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from weakref import WeakSet

import pytest
import torch

from accsearch.config.schema import WorkerConfig
from accsearch.worker import stopwatch
from accsearch.worker.machine import choose_machine
from accsearch.worker.stopwatch import Times, race, timed, warm_up

MACHINE = choose_machine("cpu", "float32")
NOTHING = torch.empty(0)


class Copy:
    """Stands in for a copy of the pipeline's parts."""


class Track:
    """Stands in for the clock, for what is applied and for both pipelines; notes who ran when."""

    def __init__(self, trial: Callable[[], float], baseline: Callable[[], float]) -> None:
        self.now = 0.0
        self.ran: list[str] = []
        self.exchanged_before = {"baseline": 0, "trial": 0}
        """How many runs followed an exchange of the pipeline's parts, with no other run between."""
        self.beside: set[tuple[int, bool]] = set()
        """What runs ran beside: how many copies of the pipeline's parts, and whether garbage was collected."""
        self._copies: WeakSet[Copy] = WeakSet()
        self._is_suspended = False
        self._is_exchanged = False
        self._seconds = {"trial": trial, "baseline": baseline}

    def perf_counter(self) -> float:
        return self.now

    def snapshot(self) -> Copy:
        copy = Copy()
        self._copies.add(copy)
        return copy

    @contextmanager
    def suspended(self) -> Iterator[None]:
        self._is_suspended = self._is_exchanged = True
        copy = self.snapshot()
        yield
        del copy
        self._is_suspended, self._is_exchanged = False, True

    def trial(self) -> torch.Tensor:
        assert not self._is_suspended
        return self._run("trial")

    def baseline(self) -> torch.Tensor:
        assert self._is_suspended
        return self._run("baseline")

    def _run(self, name: str) -> torch.Tensor:
        self.ran.append(name)
        self.exchanged_before[name] += self._is_exchanged
        self._is_exchanged = False
        self.beside.add((len(self._copies), gc.isenabled()))
        self.now += self._seconds[name]()
        return NOTHING


def run_race(monkeypatch: pytest.MonkeyPatch, track: Track, **settings: float) -> Times:
    monkeypatch.setattr(stopwatch, "time", track)
    config = WorkerConfig.model_validate({"repeats": 3, "max_repeats": 20, "ci_width": 0.01, **settings})
    return race(MACHINE, track, track.trial, track.baseline, config)  # type: ignore[arg-type]


def script(values: Sequence[float]) -> Callable[[], float]:
    """Return each of `values` in turn, the last for ever."""
    left = list(values)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


def test_who_goes_first_alternates_and_the_plain_pipeline_runs_while_suspended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    track = Track(lambda: 1.0, lambda: 2.0)

    times = run_race(monkeypatch, track)

    assert track.ran == ["baseline", "trial", "trial", "baseline", "baseline", "trial"]
    assert track.exchanged_before == {"baseline": 3, "trial": 3}
    assert track.beside == {(1, False)}
    assert gc.isenabled()
    assert times.trial == (1.0,) * 3
    assert times.baseline == (2.0,) * 3
    assert times.speedup.value == pytest.approx(2.0)


def test_the_pilots_spread_says_how_many_pairs_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    # Logarithms with a standard deviation of 0.002: Stein asks for (6.965 x 0.002 / 0.005)^2 = 7.8 pairs.
    pilot = [math.exp(value) for value in (-0.002, 0.0, 0.002)]

    times = run_race(monkeypatch, Track(script([*pilot, 1.0]), lambda: 1.0), ci_width=0.005)

    assert len(times.trial) == 8
    assert times.speedup.is_within(0.005)


def test_later_disturbances_lead_on_to_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    pilot = [math.exp(value) for value in (-0.002, 0.0, 0.002)]
    track = Track(script([*pilot, 1.5, 0.7, 1.6, 0.6, 1.4, 1.0]), lambda: 1.0)

    times = run_race(monkeypatch, track, ci_width=0.005)

    assert len(times.trial) == 20


def test_noisy_pairs_end_at_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    times = run_race(monkeypatch, Track(script([1.0, 2.0, 0.5, 1.0]), lambda: 1.0))

    assert len(times.trial) == 20


def test_a_pilot_beyond_the_cap_is_all(monkeypatch: pytest.MonkeyPatch) -> None:
    times = run_race(monkeypatch, Track(script([1.0, 2.0, 0.5]), lambda: 1.0), repeats=5, max_repeats=3)

    assert len(times.trial) == 5


def test_a_steady_drift_cancels(monkeypatch: pytest.MonkeyPatch) -> None:
    track = Track(lambda: 1 + track.now / 1000, lambda: 2 * (1 + track.now / 1000))

    times = run_race(monkeypatch, track, repeats=8, max_repeats=8)

    # Always in one order, each of the later runs would be longer by 1 to 2 thousandths.
    assert times.speedup.value == pytest.approx(2.0, rel=5e-4)


def normal(source: random.Random) -> float:
    return source.gauss(0, 0.02)


def quiet(source: random.Random) -> float:
    return source.gauss(0, 0.005)


def heavy(source: random.Random) -> float:
    """Student's t of three degrees of freedom: single pairs lie far out."""
    return 0.01 * source.gauss(0, 1) / math.sqrt(source.gammavariate(1.5, 2) / 3)


def bursts(source: random.Random) -> float:
    """Mostly quiet, now and then a run that takes much longer."""
    return source.gauss(0, 0.003) + (source.expovariate(5) if source.random() < 0.05 else 0)


@pytest.mark.parametrize("noise", [normal, quiet, heavy, bursts])
@pytest.mark.parametrize(("repeats", "max_repeats"), [(3, 10), (6, 30)])
def test_races_of_a_pipeline_with_itself_hold_1(
    monkeypatch: pytest.MonkeyPatch,
    noise: Callable[[random.Random], float],
    repeats: int,
    max_repeats: int,
) -> None:
    source = random.Random(repeats)
    held, runs = 0, 600

    for _ in range(runs):
        track = Track(lambda: math.exp(noise(source)), lambda: math.exp(noise(source)))
        times = run_race(monkeypatch, track, repeats=repeats, max_repeats=max_repeats)
        assert times.speedup.interval is not None
        held += times.speedup.interval[0] <= 1 <= times.speedup.interval[1]
        assert len(times.trial) == max_repeats or times.speedup.is_within(0.01)

    assert held / runs >= 0.93


def warmed(monkeypatch: pytest.MonkeyPatch, values: Sequence[float], at_least: int, *before: float) -> int:
    """Return how many runs warm-up made."""
    track = Track(script(values), lambda: 0.0)
    monkeypatch.setattr(stopwatch, "time", track)
    warm_up(MACHINE, track.trial, at_least, before)
    return len(track.ran)


@pytest.mark.parametrize(
    ("values", "at_least", "before", "runs"),
    [
        ([1.0], 3, (), 3),
        ([1.0, 2.0, 1.05, 1.0], 3, (), 4),
        ([8.0, 4.0, 2.0, 2.1], 2, (), 4),
        ([1.0, 2.0], 1, (), 4),
        ([1.0, 2.0], 5, (), 8),
        ([1.0], 2, (1.05, 1.0), 0),
        ([1.0], 1, (9.0,), 2),
        ([2.0], 1, (1.0, 1.5), 3),
        ([1.0], 0, (), 2),
    ],
    ids=[
        "asked",
        "stable",
        "falling",
        "rising",
        "rising long",
        "stable before",
        "slow before",
        "unstable before",
        "0",
    ],
)
def test_warm_up_runs_until_stable_and_only_a_few_times_more(
    monkeypatch: pytest.MonkeyPatch, values: list[float], at_least: int, before: tuple[float, ...], runs: int
) -> None:
    assert warmed(monkeypatch, values, at_least, *before) == runs


def test_the_meter_adds_up_runs_that_count(monkeypatch: pytest.MonkeyPatch) -> None:
    machine, track = choose_machine("cpu", "float32"), Track(lambda: 2.0, lambda: 1.0)
    monkeypatch.setattr(stopwatch, "time", track)
    track.now = 7.0

    warm_up(machine, track.trial, 1)
    warmed_up = machine.meter.seconds
    race(machine, track, track.trial, track.baseline, WorkerConfig(repeats=3, max_repeats=3))  # type: ignore[arg-type]
    timed(machine, track.trial)

    assert warmed_up == 0.0
    assert (machine.meter.began, machine.meter.seconds) == (7.0, 3 * 3.0 + 2.0)
