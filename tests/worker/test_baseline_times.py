"""The baseline's times on machines whose state is made up."""

import math
import random
from collections.abc import Callable

import pytest

from accsearch.worker.baseline import PROBE_AFTER
from accsearch.worker.baseline_times import BaselineTimes, Timed
from accsearch.worker.paired_times import Speedup

State = Callable[[float], float]
"""The logarithm by which a run that starts at some second is longer than on the undisturbed machine."""


def runs_of(*seconds: float) -> list[Timed]:
    return [Timed(number, each) for number, each in enumerate(seconds)]


def test_each_run_is_compared_with_the_baselines_run_of_the_same_prompts() -> None:
    times = BaselineTimes(runs_of(4.0, 8.0))

    assert times.partner(0) == pytest.approx(4.0)
    assert times.partner(1) == pytest.approx(8.0)
    assert times.speedup([Timed(1, 2.0), Timed(1, 2.0)]).value == pytest.approx(4.0)


def test_a_batch_without_a_run_of_its_own_takes_what_batches_take() -> None:
    assert BaselineTimes(runs_of(4.0, 9.0)).partner(7) == pytest.approx(6.0)


def test_probes_move_the_level_and_what_trials_are_compared_with() -> None:
    times = BaselineTimes(runs_of(1.0, 1.02, 0.98))
    for _ in range(6):
        assert not times.probe(lambda: Timed(0, 1.03))

    assert times.drift == pytest.approx(1.03, abs=0.001)
    assert times.partner(0) == pytest.approx(1.03, abs=0.001)
    assert times.total_drift == pytest.approx(1.03, abs=0.001)


def test_a_single_run_has_no_interval() -> None:
    assert BaselineTimes(runs_of(2.0)).speedup(runs_of(1.0)) == Speedup(pytest.approx(2.0), None)
    assert BaselineTimes(runs_of(2.0, 2.0)).speedup(runs_of(1.0)).interval is None


def test_a_change_is_noticed_and_what_ran_across_it_may_lie_on_either_side() -> None:
    times = BaselineTimes(runs_of(1.0, 1.01, 0.99, 1.0))
    trial = runs_of(0.5, 0.5, 0.5, 0.5)
    before = times.speedup(trial)

    assert times.probe(lambda: Timed(0, 1.5))
    change = times.remeasure(runs_of(1.5, 1.51, 1.49))
    across, after = times.speedup(trial, change), times.speedup(trial)

    assert before.value == pytest.approx(2.0, rel=0.01)
    assert after.value == pytest.approx(3.0, rel=0.01)
    assert across.value == pytest.approx(math.sqrt(6), rel=0.01)
    assert across.interval is not None
    assert across.interval[0] < 2.0
    assert across.interval[1] > 3.0


def test_one_disturbed_probe_is_no_change() -> None:
    times = BaselineTimes(runs_of(1.0, 1.01, 0.99, 1.0))
    runs = iter(runs_of(1.5, 1.0))

    assert not times.probe(lambda: next(runs))

    assert next(runs, None) is None
    assert times.seconds == pytest.approx(1.0, abs=0.01)
    trial = times.speedup(runs_of(0.5, 0.5, 0.5, 0.5))
    assert trial.interval is not None
    assert trial.interval[1] / trial.interval[0] > 1.5


def white(source: random.Random) -> State:
    return lambda _: source.gauss(0, 0.02)


def neighbours(source: random.Random) -> State:
    """Somebody comes and goes every 20 s, and takes half as long again."""
    state, at = 0.0, 0.0

    def now(second: float) -> float:
        nonlocal state, at
        if source.random() < 1 - math.exp((at - second) / 20):
            state = source.choice((0.0, 0.4))
        at = second
        return state + source.gauss(0, 0.02)

    return now


def wandering(source: random.Random) -> State:
    """A state that forgets itself within 10 s."""
    state, at = 0.0, 0.0

    def now(second: float) -> float:
        nonlocal state, at
        kept = math.exp((at - second) / 10)
        state = kept * state + math.sqrt(1 - kept**2) * source.gauss(0, 0.05)
        at = second
        return state + source.gauss(0, 0.02)

    return now


def warming(source: random.Random) -> State:
    return lambda second: 0.0005 * second + source.gauss(0, 0.003)


def step(source: random.Random) -> State:
    return lambda second: (0.3 if second > 30 else 0.0) + source.gauss(0, 0.02)


class Machine:
    """Runs batches of a second, the baseline's and those of trials that do nothing, and lets time pass."""

    def __init__(self, state: State) -> None:
        self.now = 0.0
        self._state = state

    def runs(self, count: int) -> list[Timed]:
        runs = []
        for number in range(count):
            seconds = math.exp(self._state(self.now))
            self.now += seconds
            runs.append(Timed(number, seconds))
        return runs

    def trials(self, batches: int, count: int) -> list[Speedup]:
        """Return the speed-ups of `count` trials, probed as a task's are."""
        times = BaselineTimes(self.runs(batches))
        found: list[Speedup] = []
        probed, pending = self.now, []
        for _ in range(count):
            pending.append(self.runs(batches))
            found.append(times.speedup(pending[-1]))
            if self.now - probed > PROBE_AFTER * times.seconds:
                if times.probe(lambda: self.runs(1)[0]):
                    change = times.remeasure(self.runs(3))
                    found[-len(pending) :] = [times.speedup(each, change) for each in pending]
                probed, pending = self.now, []
        return found


@pytest.mark.parametrize("machine", [white, neighbours, wandering, warming, step])
@pytest.mark.parametrize("batches", [3, 7])
def test_trials_that_do_nothing_hold_1(machine: Callable[[random.Random], State], batches: int) -> None:
    source = random.Random(batches)
    found = [each for _ in range(20) for each in Machine(machine(source)).trials(batches, 25)]

    intervals = [each.interval for each in found if each.interval]

    assert len(intervals) == 500
    assert sum(low <= 1 <= high for low, high in intervals) / 500 >= 0.93
