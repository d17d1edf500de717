"""When this worker was launched."""

import os
import time

from accsearch.executors.messages import LAUNCHED
from accsearch.process_identity import process_age


def launched_at() -> float:
    """Return when a keeper began the attempt, or without one when this process was started.

    In seconds of `time.monotonic`, which on Linux reads the same clock as `time.perf_counter`, in every process.
    """
    given = os.environ.get(LAUNCHED)
    return float(given) if given else time.monotonic() - (process_age(os.getpid()) or 0.0)
