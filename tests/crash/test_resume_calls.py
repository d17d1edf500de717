"""A run that resumes meets a fault in each kind of call that it makes on the work directory."""

import errno
import os
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.crash.checks import assert_complete, assert_sound, done_markers
from tests.crash.shim import KILL, Call, Shim
from tests.crash.test_calls import run_here
from tests.faults.eventually import eventually
from tests.faults.program import Gate, Work, await_end

TASKS = ["a", "b", "c", "d", "e"]
ONE = ("--gpus", "none", "--slots", "1")
TWO = ("--gpus", "none", "--slots", "2")
FAULTS = {"eio": errno.EIO, "full": errno.ENOSPC, "killed": KILL}


def interrupted(work: Work, gate: Gate) -> Path:
    """Leave a run as a crash does; return its work directory, every task of which can be finished now.

    `a` is done; `b` has failed; `c` has a `.running` of a keeper and a worker that are dead; `d` is done, its
    marker damaged; `e` has ended while no scheduler watched.
    """
    fixed = work.folder / "mended"
    work.shell(
        f"if test -e {fixed}; then echo finished $T; exit 0; fi\n"
        "if test $T = b; then echo 'ValueError: not yet'; exit 1; fi\n"
        f"case $T in c|e) {gate.script()} ;; esac",
        TASKS,
        retry={"max_attempts": 1, "backoff": "0s"},
    )
    with work.start_run(*TWO) as run:
        workers = gate.arrivals(2)
        settled = {"done": ["a", "d"], "failed": ["b"], "running": ["c", "e"]}
        eventually(lambda: all(work.markers(kind) == tasks for kind, tasks in settled.items()), "a, b, d")
        keepers = {task: work.marker(f"{task}.running")["keeper_pid"] for task in "ce"}
        run.process.kill()
        run.process.wait()
    for pid in (keepers["c"], workers["c"]):
        os.kill(pid, signal.SIGKILL)
        await_end(pid)
    gate.open()
    await_end(keepers["e"])
    assert work.markers("running") == ["c", "e"] and "e" in work.markers("exit")
    marker = work.root / "checkpoints" / "c" / "d.done"
    marker.write_bytes(marker.read_bytes()[:50])
    fixed.touch()
    return work.root


def copied(work: Work, template: Path, name: str) -> Shim:
    """Let `work` be a fresh copy of the interrupted run; return the faults of processes started there."""
    work.root = work.folder / name
    shutil.copytree(template, work.root)
    return Shim(work.folder, work.root)


def kinds(calls: Sequence[Call]) -> list[Call]:
    """Return the first call of each kind on each sort of file of each task: they are in different states."""
    found: dict[tuple[str, ...], Call] = {}
    for call in calls:
        parts = call.path.rsplit("/", 1)[-1].split(".")
        found.setdefault((call.name, *(part for part in parts if not part.isdecimal())), call)
    return list(found.values())


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_each_kind_of_call_of_a_run_that_resumes(work: Work, gate: Gate, fault: str) -> None:
    # Given a run that crashed, and the calls of a run that takes it up
    template = interrupted(work, gate)
    shim = copied(work, template, "traced")
    clean = work.run(*ONE, **shim.environment(trace=True))
    assert clean.process.returncode == 0, clean.text
    assert_complete(work, TASKS)
    found = kinds(shim.trace())
    assert len(found) > 50
    for call in found:
        # When one of them fails, or the process dies in it
        shim = copied(work, template, f"work-{call.number}")
        shim.arm(FAULTS[fault], call.number)
        first = work.run(*ONE, **shim.environment())
        allowed = (0, 1, 4, -signal.SIGKILL) if fault == "killed" else (0, 1, 4)
        assert first.process.returncode in allowed, f"{call}: {first.text}"
        assert "Traceback" not in first.text, call
        # Then each marker is whole except the one that was damaged before, unless it is set aside by now
        damaged = work.root / "checkpoints" / "c" / "d.done"
        if damaged.exists() and damaged.stat().st_size == 50:
            damaged.rename(damaged.with_suffix(".damaged"))
        assert_sound(work)
        before = done_markers(work)
        assert "a" in before
        if (kept := damaged.with_suffix(".damaged")).exists():
            kept.rename(damaged)
        # And the next run finishes everything, what was finished stays as it was, and nothing is left
        summary = run_here(work)
        assert summary.exit_code == 0, f"{call}: {first.text}\n{summary}"
        assert_complete(work, TASKS)
        assert before.items() <= done_markers(work).items(), call
        shutil.rmtree(work.root)
