"""`accsearch retry`: run failed tasks again with their stored plan."""

from typing import Annotated

import typer

from accsearch.cli.options import (
    HERE,
    AddressOption,
    ExecutorName,
    GpusOption,
    SlotsOption,
    StoredWorkDirOption,
)
from accsearch.task import FailureReason


def retry(
    tasks: Annotated[list[str] | None, typer.Argument(metavar="[TASK...]", help="Only these tasks.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Every failed task.")] = False,
    only: Annotated[
        list[FailureReason] | None, typer.Option("--only", help="Only tasks that failed for this reason.")
    ] = None,
    gpus: GpusOption = None,
    slots: SlotsOption = None,
    executor: Annotated[
        ExecutorName | None, typer.Option("--executor", help="Where tasks run; by default where they ran.")
    ] = None,
    address: AddressOption = None,
    workdir: StoredWorkDirOption = HERE,
) -> int:
    """Run failed tasks again; a traversal task runs only its failed and missing trials."""
    from accsearch.checkpoint.plan import load_plan
    from accsearch.checkpoint.select import failed_tasks
    from accsearch.cli.output import message
    from accsearch.cli.start_run import launch
    from accsearch.errors import UsageError
    from accsearch.scheduler.options import RunOptions
    from accsearch.workdir import WorkDir

    if not failed and not tasks:
        raise UsageError("name the tasks to retry, or give --failed")
    directory = WorkDir(workdir.resolve())
    chosen = failed_tasks(directory, tasks or (), frozenset(only or ()))
    if not chosen:
        message("no failed task to retry")
        return 0
    plans = [load_plan(directory, name, to_measure=True) for name in sorted({task.config for task in chosen})]
    stored = plans[0].launch
    options = RunOptions(
        gpus=gpus if gpus is not None else stored.get("gpus"),
        slots=slots if slots is not None else stored.get("slots"),
        keep_stale=True,
        executor=stored.get("executor", "local") if executor is None else executor.value,
        address=address or (stored.get("address") if executor is None else None),
        only=frozenset(task.name for task in chosen),
        cwd={plan.grid.config.name: plan.cwd for plan in plans},
    )
    return launch([plan.grid for plan in plans], directory, options)
