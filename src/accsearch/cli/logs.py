"""`accsearch logs`: a task's log."""

import sys
from typing import Annotated

import typer

from accsearch.cli.options import HERE, StoredWorkDirOption


def logs(
    task: Annotated[str, typer.Argument(metavar="TASK", help="TASK, or CONFIG/TASK where ambiguous.")],
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Follow the log as it grows.")] = False,
    attempt: Annotated[int | None, typer.Option("--attempt", min=1, help="An earlier attempt's log.")] = None,
    workdir: StoredWorkDirOption = HERE,
) -> None:
    """Print the log of a task's current attempt, or follow it until the task ends."""
    from accsearch.checkpoint.plan import load_plan
    from accsearch.checkpoint.select import find_task
    from accsearch.checkpoint.status import is_awaited
    from accsearch.cli.follow import follow_log
    from accsearch.errors import UsageError
    from accsearch.workdir import WorkDir

    directory = WorkDir(workdir.resolve())
    found = find_task(directory, task)
    paths = directory.task(found.config, found.id)
    path = paths.log
    if attempt is not None:
        earlier = paths.log_of(attempt, load_plan(directory, found.config).grid.ids())
        if earlier.exists():
            path = earlier
        elif not _is_current(directory, found.config, found.id, attempt):
            raise UsageError(f"no log of attempt {attempt} of {found.name}")
    if not path.exists():
        raise UsageError(f"{found.name} has no log yet: {path}")
    if follow:
        follow_log(
            path, lambda: not (paths.running.exists() or is_awaited(directory, found)), sys.stdout.buffer
        )
        return
    with path.open("rb") as log:
        while block := log.read(1 << 16):
            sys.stdout.buffer.write(block)
    sys.stdout.buffer.flush()


def _is_current(directory: "object", config: str, task: str, attempt: int) -> bool:
    from accsearch.checkpoint.status import status as read_status

    rows = read_status(directory)["tasks"]  # type: ignore[arg-type]
    return any(row["config"] == config and row["id"] == task and row["attempt"] == attempt for row in rows)
