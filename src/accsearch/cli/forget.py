"""`accsearch forget`: remove what a work directory knows of a configuration."""

from typing import Annotated

import typer

from accsearch.cli.options import HERE, StoredWorkDirOption


def forget(
    configs: Annotated[
        list[str],
        typer.Argument(metavar="CONFIG...", help="Names of configurations, as `status` shows them."),
    ],
    results: Annotated[
        bool,
        typer.Option("--results", help="Also if tasks are finished or trials measured: they are lost."),
    ] = False,
    workdir: StoredWorkDirOption = HERE,
) -> None:
    """Remove the checkpoints, logs and results of a configuration, such as one that could not start."""
    from accsearch.checkpoint.heartbeat import Watch
    from accsearch.checkpoint.plan import configs_with_plan
    from accsearch.checkpoint.removal import contents, remove_config
    from accsearch.cli.output import message
    from accsearch.errors import UsageError
    from accsearch.scheduler.lock import Waiter, locked
    from accsearch.workdir import WorkDir

    directory = WorkDir(workdir.resolve())
    if not directory.checkpoints.is_dir():
        configs_with_plan(directory)
    with locked(directory, Waiter(Watch(), message)):
        found = contents(directory, configs)
        kept = [each for each in found if each.done or each.measured]
        if kept and not results:
            raise UsageError(f"{'; '.join(map(str, kept))}: nothing is removed; --results removes them too")
        for each in found:
            remove_config(directory, each.config)
            message(f"removed {each}")
