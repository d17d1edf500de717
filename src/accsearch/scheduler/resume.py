"""Take up what an earlier scheduler left under way: adopt, judge, or end it."""

from collections.abc import Sequence
from dataclasses import dataclass

from accsearch.checkpoint import heartbeat
from accsearch.checkpoint.markers import SUBMITTED, Running
from accsearch.checkpoint.ownership import runs_here
from accsearch.checkpoint.record import TaskRecord
from accsearch.config.schema import Config
from accsearch.executors.executor import Ended, Executor
from accsearch.executors.local import NAME as LOCAL
from accsearch.executors.local import adopt_here
from accsearch.scheduler.loop import Loop
from accsearch.scheduler.options import Observer
from accsearch.scheduler.policy import Tries
from accsearch.scheduler.slots.queued import QueuedTask
from accsearch.task import FailureReason


@dataclass(frozen=True, slots=True)
class Found:
    """A task with a `.running` marker, and what the files say about it."""

    queued: QueuedTask
    record: TaskRecord


def first_tries(record: TaskRecord, config: Config) -> Tries:
    """Return what a task starts with: a batch known to be too large is not tried again.

    A run that was cut short goes on counting where it was; a task that had used up its attempts begins anew.
    """
    batch = config.worker.batch_size if config.worker.kind == "traversal_search" else None
    failed = record.failed
    if failed is None:
        return Tries(batch_size=batch)
    if batch is not None and failed.batch_size is not None and failed.reason is FailureReason.OOM:
        batch = max(1, min(batch, failed.batch_size // 2))
    counted = failed.counted if failed.counted < config.retry.max_attempts else 0
    return Tries(counted=counted, batch_size=batch)


def resume(found: Sequence[Found], loop: Loop, executor: Executor, observer: Observer) -> None:
    """Hand every task that an earlier scheduler started to the loop."""
    for each in found:
        running = each.record.running
        assert running is not None
        if each.record.exit is not None:
            loop.judge(each.queued, Ended(each.record.exit, running))
        elif runs_here(running) or _is_of(running, executor):
            _adopt(each, running, loop, executor, observer)
        else:
            loop.await_foreign(each.queued, running)
            where = (
                each.record.why
                if running.pid == SUBMITTED
                else f"runs on host {running.host} (pid {running.pid})"
            )
            observer.message(
                f"{each.queued.task.name}: {where} and is left alone "
                f"until it ends, or shows no sign of life for {heartbeat.SILENCE:.0f} s"
            )


def _is_of(running: Running, executor: Executor) -> bool:
    """Return whether the attempt was started by this executor of a cluster, which finds it on whatever node it is."""
    return running.executor == executor.name != LOCAL


def _adopt(found: Found, running: Running, loop: Loop, executor: Executor, observer: Observer) -> None:
    queued = found.queued
    own = running.executor == executor.name
    adopted = executor.adopt(running, queued.paths) if own else adopt_here(running, queued.paths)
    if isinstance(adopted, Ended):
        loop.judge(queued, adopted)
        return
    if adopted is not None:
        submitted = running.pid == SUBMITTED
        what = found.record.why if submitted else f"still at work from an earlier run (pid {running.pid})"
        observer.message(f"{queued.task.name}: {what}, adopted")
        loop.adopt(queued, adopted, running)
        return
    left = executor.clean_up(queued.paths, running.nonce)
    if left:
        observer.message(f"{queued.task.name}: cannot end what is left of it (pids {left}); it is not run")
        return
    observer.message(f"{queued.task.name}: {found.record.why}; it runs again")
    loop.put_back(queued)
