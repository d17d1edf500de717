"""A keeper that is killed between starting its worker and recording it."""

from pathlib import Path

from tests.crash.shim import KILL, Shim
from tests.faults.eventually import eventually
from tests.faults.program import Gate, Work

ONE = ("--gpus", "none", "--slots", "1")


def workers(work: Work) -> list[str]:
    """Return the processes that run the worker's script, which keep nothing of their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                line = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if str(work.folder / "worker.sh").encode() in line and b"CLEAN" in line:
                found.append(entry.name)
    return found


def recorded(work: Work) -> str:
    return str(work.marker("a.running")["pid"])


def test_a_worker_that_was_never_recorded_and_has_no_nonce_is_ended(
    work: Work, shim: Shim, gate: Gate
) -> None:
    # Given a worker without the environment it was given, and the call by which its keeper records it
    again = f'test "$2" = CLEAN || exec env -i PATH="$PATH" sh $0 $T CLEAN; {gate.script()}'
    work.shell(again, ["a"])
    gate.open()
    clean = work.run(*ONE, **shim.environment(trace=True))
    assert clean.process.returncode == 0, clean.text
    gate.arrivals(1)
    (number,) = [
        each.number for each in shim.trace() if each.name == "write" and each.path.endswith("a.running")
    ]
    # When the keeper dies in that call
    work.root = work.folder / "again"
    faults = Shim(work.folder, work.root)
    faults.arm(KILL, number)
    with work.start_run(*ONE, **faults.environment()) as run:
        run.await_line("its keeper died; it runs again")
        # Then the next attempt is alone
        eventually(
            lambda: work.markers("running") == ["a"] and recorded(work) in workers(work), "the second begins"
        )
        assert workers(work) == [recorded(work)]
        gate.open()
        assert run.end() == 0, run.text
    assert work.marker("a.done")["attempt"] == 2
