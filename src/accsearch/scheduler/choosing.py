"""Choose the task for a free slot."""

from accsearch.gpus.idle import gib
from accsearch.scheduler.backlog import Backlog
from accsearch.scheduler.second_opinion import SecondOpinion
from accsearch.scheduler.slots.queued import QueuedTask
from accsearch.scheduler.slots.slot import Slot, Slots
from accsearch.task import Scalar


def choose(
    slot: Slot, last_pipe: Scalar | None, backlog: Backlog, slots: Slots, opinions: SecondOpinion, now: float
) -> QueuedTask | None:
    """Take the task out of the backlog that is to start on `slot`, whose last worker ran `last_pipe`.

    Without one, the slot is given up where it is not free after all, or where another one would be better.
    """
    queued = backlog.pop(
        now, lambda each: slot.admits(each) and not opinions.keeps_away(each, slot.gpu, now), last_pipe
    )
    if queued is None:
        if not any(slot.admits(each) for each in backlog):
            free = "unknown memory" if slot.memory is None else gib(slot.memory)
            slot.drop(now, f"{free} free, the tasks that wait need more")
        elif opinions.all_keep_away(slot.gpu, now):
            slot.drop(now, "the tasks that wait failed there and try another GPU")
        return None
    if not slot.confirm(now):
        backlog.add(queued)
        return None
    if queued.wants_room:
        queued.wants_room = False  # looked for once: the emptiest GPU may not be idle
        if slots.has_larger(slot):
            slot.drop(now, "a task that ran out of memory looks for more")
            backlog.add(queued)
            return None
    return queued
