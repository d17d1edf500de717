"""A disk that takes its time."""

from tests.crash.shim import EVER, Shim
from tests.faults.program import Work


def test_failures_do_not_run_ahead_of_what_counts_them(work: Work, shim: Shim) -> None:
    # Given a disk that takes longer to sync a marker than a task to fail
    tasks = [f"t{number}" for number in range(30)]
    work.shell("echo 'RuntimeError: the driver is too old'; exit 1", tasks, retry={"max_attempts": 1})
    shim.arm(-500, last=EVER, calls=["sync"])
    # When all fail alike
    run = work.run("--gpus", "none", "--slots", "1", **shim.environment())
    # Then the run stops as early as on a fast one
    assert run.process.returncode == 1
    assert "failed alike" in run.text
    assert list(work.states().values()).count("pending") >= 20
