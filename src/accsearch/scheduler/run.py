"""Run the tasks of one or several grids that are not done: the public function of the scheduler."""

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from accsearch.checkpoint.audit import audit
from accsearch.checkpoint.filesystem import remark
from accsearch.checkpoint.heartbeat import Watch
from accsearch.checkpoint.plan import store_plan
from accsearch.checkpoint.record import tidy
from accsearch.errors import StorageError, UsageError
from accsearch.executors.local import NAME as LOCAL
from accsearch.executors.opening import open_executor
from accsearch.executors.setup import Setup
from accsearch.gpus.visible import NONE
from accsearch.grid import Grid
from accsearch.scheduler.backlog import Backlog
from accsearch.scheduler.durations import Sample, TimeModel
from accsearch.scheduler.ending import Ending
from accsearch.scheduler.foreign import ForeignAttempts
from accsearch.scheduler.interrupts import caught
from accsearch.scheduler.lock import Waiter, locked
from accsearch.scheduler.loop import Loop
from accsearch.scheduler.options import Observer, RunOptions, Silent, Summary
from accsearch.scheduler.policy import Streak
from accsearch.scheduler.resume import Found, first_tries, resume
from accsearch.scheduler.settling import Settling
from accsearch.scheduler.slots.capacity import memory_of, refuse_too_large
from accsearch.scheduler.slots.opening import open_slots, wants_gpus
from accsearch.scheduler.slots.queued import QueuedTask
from accsearch.scheduler.sweep import sweep
from accsearch.task import TaskState
from accsearch.workdir import WorkDir

__all__ = ["Observer", "RunOptions", "Silent", "Summary", "run"]


def run(grids: Sequence[Grid], workdir: WorkDir, options: RunOptions, observer: Observer) -> Summary:
    """Run every task of `grids` that is not done, and return how that went.

    Raises UsageError if another scheduler holds the work directory or an option is wrong, NoGpuError if there
    is no GPU that the run may ever use, StorageError if the work directory cannot be written to begin with.
    """
    if options.executor != LOCAL and options.gpus not in (None, NONE):
        raise UsageError(f"--gpus {options.gpus} names GPUs of this machine; a cluster chooses its own")
    with ExitStack() as stack:
        for grid in grids:
            workdir.create(grid.config.name)
        watch = Watch()
        lock = stack.enter_context(locked(workdir, Waiter(watch, observer.message)))
        if (said := remark(workdir.checkpoints)) is not None:
            observer.message(said)
        sweep(workdir, [grid.config.name for grid in grids])
        signals = stack.enter_context(caught())
        pending, found, samples, done = _audit(grids, workdir, options, observer)
        ending = Ending()
        if pending or found:
            configs = [grid.config for grid in grids]
            here = str(Path.cwd())
            setup = Setup(
                workdir,
                configs,
                wants_gpus(configs, options.gpus),
                options.slots,
                options.address,
                observer.message,
            )
            executor = open_executor(options.executor, setup)
            stack.callback(executor.close)
            slots = stack.enter_context(open_slots(configs, workdir, options, observer, executor))
            refuse_too_large(((queued.task.name, queued.memory) for queued in pending), slots.largest())
            backlog = Backlog(pending, TimeModel(samples))
            streak = Streak(min(config.retry.stop_after_identical for config in configs))
            settling = Settling(
                workdir, backlog, observer, streak, slots.health, lock.check, keep_stale=options.keep_stale
            )
            ending = settling.ending
            loop = Loop(
                workdir,
                backlog,
                slots,
                executor,
                signals,
                observer,
                settling,
                lock=lock,
                foreign=ForeignAttempts(watch),
                cwd={name: options.cwd.get(name, here) for name in (config.name for config in configs)},
            )
            resume(found, loop, executor, observer)
            loop.run()
        tried = [*pending, *(each.queued for each in found)]
        return _summary(done, tried, ending)


def _audit(
    grids: Sequence[Grid], workdir: WorkDir, options: RunOptions, observer: Observer
) -> tuple[list[QueuedTask], list[Found], list[Sample], int]:
    """Return what is to be run, what an earlier scheduler left under way, what finished tasks took, and how
    many of the chosen ones are done."""
    pending: list[QueuedTask] = []
    found: list[Found] = []
    samples: list[Sample] = []
    done = 0
    for grid in grids:
        ids = grid.ids()
        for record in audit(
            workdir, grid, keep_stale=options.keep_stale, rerun_on_versions=options.rerun_on_versions
        ):
            if record.last_seconds is not None:
                samples.append(Sample(record.task, record.last_seconds))
            if record.set_aside or record.leftover or record.renewed is not None:
                if record.set_aside:
                    observer.message(f"{record.task.name}: runs again: {record.why}")
                tidy(record)
            if not _chosen(record.task.name, options):
                continue
            if record.state is TaskState.DONE:
                done += 1
                continue
            queued = QueuedTask(
                record.task,
                grid.config,
                workdir.task(record.task.config, record.task.id),
                ids,
                first_tries(record, grid.config),
                record.attempt,
                memory=memory_of(record.task, grid.config),
            )
            if record.running is not None:
                found.append(Found(queued, record))
            else:
                pending.append(queued)
        if options.only is None:
            launch = {
                "gpus": options.gpus,
                "slots": options.slots,
                "executor": options.executor,
                "address": options.address,
                "keep_stale": options.keep_stale,
            }
            cwd = options.cwd.get(grid.config.name, str(Path.cwd()))
            store_plan(workdir, grid, launch, grid.config.facts.file, cwd)
    return pending, found, samples, done


def _chosen(name: str, options: RunOptions) -> bool:
    return options.only is None or name in options.only


def _summary(done: int, pending: Sequence[QueuedTask], ending: Ending) -> Summary:
    counts = Counter(queued.state for queued in pending)
    counts[TaskState.DONE] += done
    failures = tuple(queued.failed for queued in pending if queued.failed is not None)
    left = counts[TaskState.PENDING] + counts[TaskState.RUNNING]
    if ending.exit_code == StorageError.exit_code or (ending.exit_code and left):
        code = ending.exit_code
    else:
        # Left without an ending: what another host runs, or what could not be ended, is not done either.
        code = 1 if failures or left else 0
    return Summary(dict(counts), failures, code, ending.why if left else None)
