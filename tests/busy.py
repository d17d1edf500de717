"""A busy process on one core, and a program bound to two cores, of which that is one."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from accsearch.cores import PASSIVE, THREADS

CORES = sorted(os.sched_getaffinity(0))[:2]
"""The cores that the tests bind processes to; one on a machine of one core."""

SPIN = "import os\nos.sched_setaffinity(0, [{core}])\nprint(1, flush=True)\nwhile True: pass"


@contextmanager
def busy_core() -> Iterator[None]:
    """Keep the first of CORES busy while the context lasts."""
    spinning = [sys.executable, "-c", SPIN.format(core=CORES[0])]
    with subprocess.Popen(spinning, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield
        finally:
            process.kill()


def unthreaded() -> dict[str, str]:
    """Return this process's environment without settings of threads."""
    return {name: value for name, value in os.environ.items() if name not in (*THREADS, *PASSIVE)}


def bound(code: str) -> list[str]:
    """Return the command line of a Python that runs `code` on CORES alone."""
    return [sys.executable, "-c", f"import os\nos.sched_setaffinity(0, {CORES})\n{code}"]
