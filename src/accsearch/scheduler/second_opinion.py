"""Whether a failure is the task's or its GPU's: the task is tried on another GPU, which decides."""

from accsearch.scheduler.backlog import Backlog
from accsearch.scheduler.policy import Doubt
from accsearch.scheduler.slots.queued import QueuedTask
from accsearch.scheduler.slots.slot import Slots

PATIENCE = 600.0
"""Seconds that a task which failed on a GPU waits for another one, before that one is good enough again."""
MOST_DOUBTS = 2
"""GPUs on which a task may fail at its start without being blamed."""


class SecondOpinion:
    """Keeps tasks away from GPUs that failed them, as long as there is another one."""

    def __init__(self, slots: Slots, backlog: Backlog) -> None:
        self._slots = slots
        self._backlog = backlog

    def doubt(self, queued: QueuedTask, gpu: str | None, now: float) -> Doubt:
        """Return which failures of `queued` on `gpu` another GPU is to decide about.

        The first failure is in doubt, a second one where neither GPU is known to be well; even one that the
        program explains is, if the GPU has just failed another task.
        """
        if gpu is None or gpu in queued.failed_on:
            return Doubt.NONE
        health, failed_on = self._slots.health, {*queued.failed_on, gpu}
        if len(failed_on) > 1 and any(health.is_well(each, now) for each in failed_on):
            return Doubt.NONE
        if len(failed_on) > MOST_DOUBTS or not self._slots.elsewhere(failed_on):
            return Doubt.NONE
        return Doubt.ANY if health.has_just_failed(gpu) else Doubt.UNEXPLAINED

    def keeps_away(self, queued: QueuedTask, gpu: str | None, now: float) -> bool:
        """Return whether `queued` waits for another GPU than this one, on which it has failed."""
        failed_at = queued.failed_on.get(gpu or "")
        return (
            failed_at is not None and now - failed_at < PATIENCE and self._slots.elsewhere(queued.failed_on)
        )

    def all_keep_away(self, gpu: str | None, now: float) -> bool:
        """Return whether no task that waits wants this GPU, and there is one that waits."""
        return len(self._backlog) > 0 and all(self.keeps_away(each, gpu, now) for each in self._backlog)

    def shunned(self, now: float) -> list[str]:
        """Return the GPUs that no waiting task wants."""
        return [gpu for gpu in self._slots.health.failing() if self.all_keep_away(gpu, now)]
