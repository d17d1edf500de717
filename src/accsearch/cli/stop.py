"""`accsearch stop`: drain a running scheduler from another terminal."""

from typing import Annotated

import typer

from accsearch.cli.options import HERE, WorkDirOption


def stop(
    now: Annotated[
        bool, typer.Option("--now", help="End the running tasks too; they become pending.")
    ] = False,
    workdir: WorkDirOption = HERE,
) -> None:
    """Ask the scheduler of this work directory to start no more tasks and to end."""
    from accsearch.cli.output import message
    from accsearch.scheduler.stop import stop as ask
    from accsearch.workdir import WorkDir

    pid = ask(WorkDir(workdir.resolve()), now=now)
    message(f"asked the scheduler (pid {pid}) to {'stop now' if now else 'drain'}")
