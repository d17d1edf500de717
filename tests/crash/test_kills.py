"""Kills at random, and runs again until everything is done: nothing twice at once, nothing lost."""

import random
import signal

import pytest
from tests.crash.chaos import Chaos, body, configure, journal, tasks
from tests.crash.checks import assert_complete, assert_sound, done_markers
from tests.faults.program import Work

KILLED = -signal.SIGKILL
ROUNDS = 200
"""Runs after which the loop is taken to make no progress."""
MANY = pytest.param(200, marks=[pytest.mark.slow, pytest.mark.timeout(900)])


@pytest.mark.parametrize("number", [60, MANY])
def test_random_kills_lose_nothing_and_run_nothing_twice_at_once(work: Work, number: int) -> None:
    # Given a grid of short tasks, some of which leave processes behind
    rng = random.Random(number)
    names = tasks(number)
    configure(work, names, body(rng, names, longest=0.4))
    finished: dict[str, str] = {}
    codes = []
    weights = {"worker": 4, "keeper": 3, "scheduler": 1}
    with Chaos(rng, work, (0.2, 0.6), weights, most=number // 3) as chaos:
        # When processes are killed at random and the run is started again and again
        while len(finished) < number:
            assert len(codes) < ROUNDS, codes
            with work.start_run("--gpus", "none", "--slots", "4") as run:
                chaos.scheduler = run.pid
                codes.append(run.end())
            assert codes[-1] in (0, 1, KILLED), run.text
            assert "Traceback" not in run.text
            # Then each marker is whole at any time, and a finished task stays as it was
            assert_sound(work)
            now = done_markers(work)
            assert finished.items() <= now.items()
            finished = now
    # Then, left alone, all is done, nothing ran twice at once and nothing is left
    last = work.run("--gpus", "none", "--slots", "4")
    assert last.process.returncode == 0, last.text
    assert_complete(work, names)
    assert set(work.states().values()) == {"done"}
    words = journal(work)
    assert words["twice"] == 0
    assert words["end"] >= number
    assert min(chaos.done[what] for what in weights) > 0, chaos.done
