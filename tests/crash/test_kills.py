"""Kills at random, and runs again until everything is done: nothing twice at once, nothing lost."""

import random
import signal
from collections.abc import Sequence

import pytest
from tests.crash.chaos import Chaos, body, configure, journal, tasks
from tests.crash.checks import assert_complete, assert_sound, done_markers
from tests.faults.forked import write_worker
from tests.faults.program import Work
from tests.faults.search import WORKER, Search

KILLED = -signal.SIGKILL
ROUNDS = 200
"""Runs after which the loop is taken to make no progress."""
WEIGHTS = {"worker": 4, "keeper": 3, "scheduler": 1}
FORKED = """
measure = main


def main(words):
    import fcntl, random, subprocess, time
    from pathlib import Path

    folder = Path(__file__).parent.parent
    name = words[words.index("--task") + 1]
    lock = os.open(folder / "locks" / name, os.O_CREAT | os.O_RDWR)
    os.set_inheritable(lock, True)
    with open(folder / "journal", "a") as journal:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("twice", name, file=journal)
            os._exit(1)
        print("begin", name, file=journal, flush=True)
        chance = random.Random(name)
        if chance.random() < 0.2:
            subprocess.Popen(["setsid", "sleep", "600"], pass_fds=[lock])
        time.sleep(chance.uniform(0.1, 0.6))
        measure(words)
        print("end", name, file=journal)
"""
"""A forked worker of `Search` that keeps the journal of `chaos.WORKER`; its warm process may be killed as well."""
MANY = pytest.param(200, marks=[pytest.mark.slow, pytest.mark.timeout(900)])


@pytest.mark.parametrize("number", [60, MANY])
def test_random_kills_lose_nothing_and_run_nothing_twice_at_once(work: Work, number: int) -> None:
    # Given a grid of short tasks, some of which leave processes behind
    rng = random.Random(number)
    names = tasks(number)
    configure(work, names, body(rng, names, longest=0.4))
    _run_and_kill(work, names, rng, 4, most=number // 3)


def test_random_kills_of_forked_workers_and_what_they_are_forked_from(work: Work) -> None:
    # Given searches whose workers are forked from two warm processes
    rng = random.Random(16)
    (work.folder / "locks").mkdir()
    search = Search(work)
    write_worker(work.folder / "fake", WORKER + FORKED)
    steps = range(4, 20)
    search.configure(steps=steps, retry={"max_attempts": 2, "backoff": "0s"})
    _run_and_kill(work, [f"tiny_DDIM_{each}" for each in steps], rng, 2, most=8)


def _run_and_kill(work: Work, names: Sequence[str], rng: random.Random, slots: int, most: int) -> None:
    """Run `work` again and again while `most` processes of it are killed, then to its end."""
    options = ("--gpus", "none", "--slots", str(slots))
    finished: dict[str, str] = {}
    codes = []
    with Chaos(rng, work, (0.2, 0.6), WEIGHTS, most=most) as chaos:
        # When processes are killed at random and the run is started again and again
        while len(finished) < len(names):
            assert len(codes) < ROUNDS, codes
            with work.start_run(*options) as run:
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
    last = work.run(*options)
    assert last.process.returncode == 0, last.text
    assert_complete(work, list(names))
    assert set(work.states().values()) == {"done"}
    words = journal(work)
    assert words["twice"] == 0
    assert words["end"] >= len(names)
    assert min(chaos.done[what] for what in WEIGHTS) > 0, chaos.done
