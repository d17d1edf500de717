"""Ask a running scheduler to end, from another process."""

import os
import signal

from accsearch.errors import UsageError
from accsearch.scheduler.lock import read_holder
from accsearch.workdir import WorkDir

DRAIN = signal.SIGUSR1
STOP = signal.SIGUSR2


def stop(workdir: WorkDir, *, now: bool = False) -> int:
    """Let the scheduler of `workdir` start no more tasks; with `now` also end the running ones.

    Returns its pid. Raises UsageError where none runs.
    """
    holder = read_holder(workdir)
    if holder is None or not holder.is_alive():
        raise UsageError(f"{workdir.root}: no run is at work here")
    try:
        os.kill(holder.pid, STOP if now else DRAIN)
    except PermissionError as error:
        raise UsageError(
            f"{workdir.root}: the run at work here (pid {holder.pid}) is another user's"
        ) from error
    return holder.pid
