"""The k-th system call on the work directory fails, or the process dies in it, for every k."""

import errno
import signal
from collections.abc import Iterator, Sequence

import pytest
from tests.crash.checks import assert_complete, assert_sound, done_markers
from tests.crash.shim import EVER, GROWING, KILL, Call, Shim
from tests.faults.program import Program, Work

from accsearch.config.load import load_config
from accsearch.grid import expand
from accsearch.scheduler.options import RunOptions, Silent, Summary
from accsearch.scheduler.run import run
from accsearch.workdir import WorkDir

TASKS = ["a", "b", "c"]
ONE = ("--gpus", "none", "--slots", "1")
TWO = ("--gpus", "none", "--slots", "2")
ERRORS = {"eio": errno.EIO, "full": errno.ENOSPC, "killed": KILL}
SHARDS = 3


def configure(work: Work) -> None:
    work.shell("echo work on $T", TASKS)


def traced(work: Work, shim: Shim, options: Sequence[str]) -> list[Call]:
    """Return the calls of a run in which none fails."""
    clean = work.run(*options, **shim.environment(trace=True))
    assert clean.process.returncode == 0, clean.text
    calls = shim.trace()
    assert len(calls) == shim.count > 50
    return calls


def kinds(calls: Sequence[Call]) -> Iterator[int]:
    """Yield the number of the first call of each kind: the same call on the same sort of file."""
    seen = set()
    for call in calls:
        suffixes = call.path.rsplit("/", 1)[-1].split(".")
        kind = (call.name, *(part for part in suffixes if part not in TASKS and not part.isdecimal()))
        if kind not in seen:
            seen.add(kind)
            yield call.number


def run_here(work: Work) -> Summary:
    """Run without faults in this process, which saves the start of a program for each call."""
    grid = expand(load_config(work.folder / "c.yaml"))
    options = RunOptions(gpus="none", slots=1, cwd={grid.config.name: str(work.folder)})
    return run([grid], WorkDir(work.root), options, Silent())


def survives(work: Work, shim: Shim, number: int, error: int, options: Sequence[str]) -> None:
    """Let call `number` of a fresh run fail, check what is left, run again and check the end."""
    work.root = work.folder / f"work-{number}-{error}"
    faults = Shim(work.folder, work.root)
    faults.arm(error, number)
    first = work.run(*options, **faults.environment())
    allowed = (0, 1, 4, -signal.SIGKILL) if error == KILL else (0, 1, 4)
    assert first.process.returncode in allowed, first.text
    assert "Traceback" not in first.text
    assert_sound(work)
    before = done_markers(work)
    summary = run_here(work)
    assert summary.exit_code == 0, f"call {number}: {first.text}\n{summary}"
    assert_complete(work, TASKS)
    assert before.items() <= done_markers(work).items()


# A third of the calls with every change, all of them with the long tests: a minute a shard.
@pytest.mark.parametrize(
    "shard", [0, *(pytest.param(number, marks=pytest.mark.slow) for number in range(1, SHARDS))]
)
def test_a_fault_in_each_kind_of_call(work: Work, shim: Shim, shard: int) -> None:
    configure(work)
    numbers = list(kinds(traced(work, shim, ONE)))
    errors = list(ERRORS.values())
    for place, number in list(enumerate(numbers))[shard::SHARDS]:
        survives(work, shim, number, errors[place % len(errors)], ONE)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("fault", ERRORS)
def test_a_fault_in_every_call(work: Work, shim: Shim, fault: str) -> None:
    configure(work)
    for call in traced(work, shim, TWO):
        survives(work, shim, call.number, ERRORS[fault], TWO)


@pytest.mark.parametrize("already", [0, 12, 24])
def test_a_full_disk_stops_the_run_and_leaves_no_marker(work: Work, shim: Shim, already: int) -> None:
    # Given a disk that is full for good after a number of calls
    configure(work)
    shim.arm(errno.ENOSPC, already + 1, EVER, GROWING)
    first = work.run(*ONE, **shim.environment())
    assert first.process.returncode == 4, first.text
    assert "No space left on device" in first.text
    assert "Traceback" not in first.text
    assert_sound(work)
    before = done_markers(work)
    assert len(before) < len(TASKS)
    # When there is room again
    again: Program = work.run(*ONE)
    # Then the run resumes where it was
    assert again.process.returncode == 0, again.text
    assert_complete(work, TASKS)
    assert before.items() <= done_markers(work).items()
