"""Run a worker in the foreground: whoever ends this program ends the worker too, in order."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import IO

GRACE = 20.0
"""Seconds that a worker has to tidy up before it is killed."""


def run_in_foreground(
    line: Sequence[str],
    *,
    env: Mapping[str, str],
    leases: Sequence[int],
    say: Callable[[str], None],
    stdout: int | None = None,
    stderr: IO[bytes] | None = None,
    own_session: bool = False,
) -> int:
    """Run `line` to its end and return its exit code; it inherits the GPU's `leases`.

    In a session of its own it gets a fair share of the processor whatever else runs in this one.
    Where an exception ends this program meanwhile, as SIGTERM and Ctrl-C do, the worker gets SIGTERM and its time to
    tidy up; of Ctrl-C `say` prints a line.
    """
    worker = subprocess.Popen(
        line, env=dict(env), pass_fds=leases, stdout=stdout, stderr=stderr, start_new_session=own_session
    )
    try:
        return worker.wait()
    except KeyboardInterrupt:
        say("accsearch: interrupted: nothing is kept of what was being measured")
        raise
    finally:
        if worker.poll() is None:
            worker.terminate()
            try:
                worker.wait(GRACE)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
