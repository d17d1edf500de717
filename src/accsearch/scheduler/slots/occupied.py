"""A runner at work."""

from accsearch.executors.executor import Runner
from accsearch.scheduler.slots.queued import QueuedTask
from accsearch.scheduler.slots.slot import Slot
from accsearch.task import Scalar


class OccupiedSlot:
    """A runner of the executor, the slot that it serves (None if adopted), and the entry at work there."""

    def __init__(self, runner: Runner, slot: Slot | None) -> None:
        self.runner = runner
        self.slot = slot
        self.entry: QueuedTask | None = None
        self.nonce = ""
        self.began = 0.0
        self.stopping = False
        self.excuse: str | None = None
        self.last_pipe: Scalar | None = None

    def begin(self, entry: QueuedTask, nonce: str, now: float) -> None:
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
            self.runner.stop()

    def finish(self, now: float) -> QueuedTask | None:
        """Return the entry whose attempt is over; the runner is idle then."""
        entry, self.entry = self.entry, None
        self.stopping = False
        self.excuse = None
        return entry
