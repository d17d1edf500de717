"""`accsearch stop`: drain a running scheduler from another terminal."""

from typing import Annotated

import typer

from accsearch.cli.options import HERE, WorkDirOption


def stop(
    now: Annotated[
        bool, typer.Option("--now", help="End the running tasks too; they become pending.")
    ] = False,
    host: Annotated[
        str | None,
        typer.Option(
            "--host",
            metavar="NAME",
            help="Free the work of a host that is gone (see `doctor`); with --now also of a live one.",
        ),
    ] = None,
    workdir: WorkDirOption = HERE,
) -> None:
    """Ask the scheduler of this work directory to start no more tasks and to end."""
    from accsearch.checkpoint.heartbeat import Watch
    from accsearch.cli.output import message
    from accsearch.scheduler.lock import Waiter
    from accsearch.scheduler.stop import free_host
    from accsearch.scheduler.stop import stop as ask
    from accsearch.workdir import WorkDir

    if host is not None:
        for freed in free_host(WorkDir(workdir.resolve()), host, Waiter(Watch(), message), now=now):
            message(f"freed from host {host}: {freed}")
        return
    pid = ask(WorkDir(workdir.resolve()), now=now)
    message(f"asked the scheduler (pid {pid}) to {'stop now' if now else 'drain'}")
