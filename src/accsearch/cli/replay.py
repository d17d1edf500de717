"""`accsearch replay`: measure one stored trial again."""

from typing import TYPE_CHECKING, Annotated

import typer

from accsearch.cli.options import HERE, StoredWorkDirOption

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from accsearch.config.schema import GpuConfig
    from accsearch.gpus.lend import Loan
    from accsearch.result_lines.line import ResultLine


def replay(
    task: Annotated[str, typer.Argument(metavar="TASK", help="TASK, or CONFIG/TASK where ambiguous.")],
    trial: Annotated[
        str, typer.Argument(metavar="TRIAL", help="Id of a trial, as `accsearch export` shows it.")
    ],
    workdir: StoredWorkDirOption = HERE,
) -> int:
    """Measure one trial again; say whether images are identical and times agree."""
    import os

    from accsearch.checkpoint.plan import load_plan
    from accsearch.checkpoint.select import find_task
    from accsearch.cli.output import message
    from accsearch.executors.foreground import run_in_foreground
    from accsearch.grid.worker_command import worker_argv
    from accsearch.result_lines.stored import stored_line
    from accsearch.task import WorkerExit
    from accsearch.workdir import WorkDir

    directory = WorkDir(workdir.resolve())
    found = find_task(directory, task)
    line = stored_line(directory.task(found.config, found.id), found, trial)
    config = load_plan(directory, found.config).grid.config
    argv = worker_argv(
        workdir=directory.root,
        config=found.config,
        task=found.id,
        # Those of the line: after an OOM the batch is smaller than the configured one.
        num_samples=line.num_samples,
        batch_size=line.batch_size,
        replay=trial,
    )
    with _loan(line, config.gpus, directory.root) as loan:
        code = run_in_foreground(
            argv,
            env={**os.environ, **_threads(line), **config.worker.env, **loan.env},
            leases=loan.leases,
            say=message,
        )
    return code if code in (WorkerExit.OK, WorkerExit.CONFIG) else WorkerExit.ERROR


def _threads(line: "ResultLine") -> dict[str, str]:
    from accsearch.cores import THREADS

    threads = line.environment.get("threads")
    return {} if threads is None else dict.fromkeys(THREADS, str(threads))


def _loan(line: "ResultLine", limits: "GpuConfig", workdir: "Path") -> "AbstractContextManager[Loan]":
    """Lend the GPU of `line` if it is idle, else another idle one, of the same model if there is one."""
    from contextlib import nullcontext

    from accsearch.gpus.lend import NO_GPU, lend

    if line.gpu is None:
        return nullcontext(NO_GPU)
    return lend(
        limits,
        workdir,
        exclude=limits.exclude,
        rank=lambda device: (device.uuid != line.gpu, device.name != line.gpu_name),
    )
