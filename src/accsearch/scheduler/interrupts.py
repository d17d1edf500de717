"""Turn signals into readable events, so that the loop handles them like everything else."""

import contextlib
import signal
import socket
from collections.abc import Iterator
from types import FrameType

from accsearch.scheduler.stop import DRAIN, STOP

HANDLED = (signal.SIGINT, signal.SIGTERM, DRAIN, STOP)


class Signals:
    """Signals that have arrived since the last look; `fileno` is readable when there are any."""

    def __init__(self, source: socket.socket) -> None:
        self._source = source

    def fileno(self) -> int:
        return self._source.fileno()

    def read(self) -> list[int]:
        """Return the numbers in order of arrival; never blocks."""
        try:
            return [number for number in self._source.recv(256) if number in HANDLED]
        except BlockingIOError:
            return []


@contextlib.contextmanager
def caught() -> Iterator[Signals]:
    """Catch the signals that end or drain a run; ignore SIGHUP, so that a dropped terminal ends nothing."""
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setblocking(False)
    before = {number: signal.signal(number, _note) for number in HANDLED}
    before[signal.SIGHUP] = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    # Ignored by whoever started us, keepers would vanish without a status to wait for.
    before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    wakeup = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    try:
        yield Signals(ours)
    finally:
        signal.set_wakeup_fd(wakeup)
        for number, handler in before.items():
            signal.signal(number, handler)
        ours.close()
        theirs.close()


def _note(number: int, frame: FrameType | None) -> None:
    """Stand in for the default action; the number itself arrives through the wakeup descriptor."""
