"""Run one assignment: load, measure, and say how it ended."""

import sys

from accsearch.demo.operators import register_torchvision_operators
from accsearch.grid import success_sentinel
from accsearch.grid.reuse import answers_known, proves
from accsearch.result_lines.stored import stored_line
from accsearch.task import WorkerExit
from accsearch.worker.assignment import Assignment
from accsearch.worker.fatal_errors import TaskEnded, is_lost_gpu, is_out_of_memory, one_line
from accsearch.worker.gpu_return import leave_if_taken_before_cuda, leave_if_taken_before_first_trial
from accsearch.worker.loaded_task import LoadedTask, open_task
from accsearch.worker.machine import choose_machine
from accsearch.worker.monitor import processes_on_gpus
from accsearch.worker.pipelines import commit_of
from accsearch.worker.quiet import hush_loaded
from accsearch.worker.record import Recorder
from accsearch.worker.replay import replay
from accsearch.worker.terminal import say
from accsearch.worker.traversal import finished, partly_measured, restate, search, wanted


def run(assignment: Assignment, trial: str | None = None) -> int:
    """Search the assignment's trials, or replay one of them; return an exit code of `WorkerExit`."""
    register_torchvision_operators()
    hush_loaded()
    others = processes_on_gpus()
    if trial is not None:
        stored = stored_line(assignment.paths, assignment.task, trial)
        with open_task(assignment, others) as loaded:
            comparison = replay(loaded, _recorder(loaded), stored)
        say(comparison.text)
        return WorkerExit.OK if comparison.agrees else WorkerExit.ERROR
    try:
        if assignment.device != "cpu":
            leave_if_taken_before_cuda()
        code = _search(assignment, others)
    except TaskEnded as error:
        return _ended(error.code, str(error))
    except (RuntimeError, MemoryError) as error:
        # While loading; a trial's own failure is handled where it happens.
        if is_out_of_memory(error):
            return _ended(WorkerExit.OOM, one_line(error))
        if is_lost_gpu(error):
            return _ended(WorkerExit.LOST_GPU, one_line(error))
        raise
    if code == WorkerExit.OK:
        say(success_sentinel(assignment.config, assignment.task))
    return code


def _search(assignment: Assignment, others: frozenset[int]) -> int:
    machine = choose_machine(assignment.device, assignment.config.worker.dtype)
    if machine.note:
        say(f"note: {machine.note}")
    keys = wanted(Recorder(assignment, machine, None))
    reused = finished(assignment.paths.results, keys)
    restate(assignment, reused)
    if reused:
        reusable = sum(trial.id in reused for trial in assignment.task.trials)
        say(f"{reusable} of {len(assignment.task.trials)} trials stand from an earlier attempt")
    config = assignment.config
    if reused.keys() == keys.keys() and answers_known(config, assignment.task, reused):
        return WorkerExit.OK
    if config.search.strategy == "upper_bound" and not proves(config):
        say("note: without a scorer nothing can be proved of a loss, so every trial is measured")
    with open_task(assignment, others) as loaded:
        if machine.is_cuda:
            leave_if_taken_before_first_trial(others)
        for note in loaded.notes:
            say(f"note: {note}")
        earlier = partly_measured(assignment.paths.results, keys)
        return search(loaded, _recorder(loaded), reused, earlier)


def _recorder(loaded: LoadedTask) -> Recorder:
    commit = commit_of(loaded.pipeline)
    return Recorder(
        loaded.assignment, loaded.machine, loaded.monitor.driver, commit=commit, notes=loaded.notes
    )


def _ended(code: int, message: str) -> int:
    print(f"error: {message}", file=sys.stderr, flush=True)
    return code
