"""Run a worker in the foreground: whoever ends this program ends the worker too, in order."""

import subprocess
from collections.abc import Mapping, Sequence
from typing import IO

GRACE = 20.0
"""Seconds that a worker has to tidy up before it is killed."""


def attend(
    line: Sequence[str],
    *,
    env: Mapping[str, str],
    leases: Sequence[int],
    stdout: int | None = None,
    stderr: IO[bytes] | None = None,
) -> int:
    """Run `line` to its end and return its exit code; it inherits the GPU's `leases`.

    Where an exception ends this program meanwhile, as SIGTERM and Ctrl-C do, the worker gets SIGTERM and its time to
    tidy up.
    """
    worker = subprocess.Popen(line, env=dict(env), pass_fds=leases, stdout=stdout, stderr=stderr)
    try:
        return worker.wait()
    finally:
        if worker.poll() is None:
            worker.terminate()
            try:
                worker.wait(GRACE)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
