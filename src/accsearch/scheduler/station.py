"""A slot at work."""

from accsearch.executors.protocol import Slot
from accsearch.scheduler.entry import Entry
from accsearch.scheduler.places import Place
from accsearch.task import Scalar


class Station:
    """A slot of the executor, the place that it serves (None if adopted), and the entry at work there."""

    def __init__(self, slot: Slot, place: Place | None) -> None:
        self.slot = slot
        self.place = place
        self.entry: Entry | None = None
        self.nonce = ""
        self.began = 0.0
        self.stopping = False
        self.excuse: str | None = None
        self.last_pipe: Scalar | None = None

    def begin(self, entry: Entry, nonce: str, now: float) -> None:
        """Note that `entry` starts here."""
        self.entry = entry
        self.nonce = nonce
        self.began = now
        self.last_pipe = entry.task.axes.get("pipe")

    def stop(self, excuse: str | None) -> None:
        """End the worker, if there is one; `excuse` says why a failure is not the task's fault."""
        if self.entry is not None and not self.stopping:
            self.stopping = True
            self.excuse = excuse
            self.slot.stop()

    def finish(self, now: float) -> Entry | None:
        """Return the entry whose attempt is over; the slot is idle then."""
        entry, self.entry = self.entry, None
        self.stopping = False
        self.excuse = None
        return entry
