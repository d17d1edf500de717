"""A runner at work."""

from accsearch.executors.executor import Runner
from accsearch.scheduler.slots.queued import QueuedTask
from accsearch.scheduler.slots.slot import Slot
from accsearch.task import Scalar


class OccupiedSlot:
    """A runner of the executor, the slot that it serves (None if adopted), and the task at work there."""

    def __init__(self, runner: Runner, slot: Slot | None) -> None:
        self.runner = runner
        self.slot = slot
        self.queued: QueuedTask | None = None
        self.nonce = ""
        self.began = 0.0
        self.stopping = False
        self.excuse: str | None = None
        self.last_pipe: Scalar | None = None

    def begin(self, queued: QueuedTask, nonce: str, now: float) -> None:
        """Note that `queued` starts here."""
        self.queued = queued
        self.nonce = nonce
        self.began = now
        self.last_pipe = queued.task.axes.get("pipe")

    def stop(self, excuse: str | None) -> None:
        """End the worker, if there is one; `excuse` says why a failure is not the task's fault."""
        if self.queued is not None and not self.stopping:
            self.stopping = True
            self.excuse = excuse
            self.runner.stop()

    def finish(self) -> QueuedTask | None:
        """Return the task whose attempt is over; the runner is idle then."""
        queued, self.queued = self.queued, None
        self.stopping = False
        self.excuse = None
        return queued
