"""How a run comes to its end: by itself, drained, or stopped."""

from dataclasses import dataclass
from enum import IntEnum
from signal import SIGINT, SIGTERM

from accsearch.errors import StorageError
from accsearch.scheduler.options import Observer
from accsearch.scheduler.stop import STOP

FAILED = 1
INTERRUPTED = 130
TERMINATED = 143


class Shutdown(IntEnum):
    """How far a run is on its way to its end; it never goes down."""

    RUN = 0
    DRAIN = 1
    """Start nothing more, let what runs end."""
    STOP = 2
    """End what runs, too; those tasks become pending again."""


@dataclass(slots=True)
class Ending:
    """The present mode, and what a run that is cut short says and exits with."""

    mode: Shutdown = Shutdown.RUN
    why: str | None = None
    exit_code: int = 0

    def cut(self, mode: Shutdown, why: str, exit_code: int) -> bool:
        """Go up to `mode`; return whether that changed anything. The exit code for storage outweighs others."""
        if mode <= self.mode and exit_code != StorageError.exit_code:
            return False
        news = mode > self.mode or self.exit_code != exit_code
        self.mode = max(mode, self.mode)
        if self.exit_code != StorageError.exit_code:
            self.why = why
            self.exit_code = exit_code
        return news

    def take(self, number: int) -> str | None:
        """Act on a signal; return the message for the user, None if it changes nothing."""
        if number == SIGTERM:
            mode, why, code = Shutdown.STOP, "terminated", TERMINATED
        elif number == STOP or (number == SIGINT and self.mode >= Shutdown.DRAIN):
            mode, why, code = Shutdown.STOP, "interrupted", INTERRUPTED
        else:
            mode, why, code = Shutdown.DRAIN, "interrupted" if number == SIGINT else "drained", INTERRUPTED
        if not self.cut(mode, why, code):
            return None
        if mode is Shutdown.STOP:
            return f"{why}: ending the running tasks, which stay pending"
        again = "; interrupt again to end them now" if number == SIGINT else ""
        return f"no new tasks are started, the running ones end{again}"


def stop_for_storage(ending: Ending, observer: Observer, text: str) -> None:
    """Start nothing more, since the work directory cannot be written."""
    if ending.cut(Shutdown.DRAIN, text, StorageError.exit_code):
        observer.message(f"{text}: no new tasks are started, the running ones end")
