"""`accsearch status`: counts, then each task."""

from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from accsearch.cli.options import HERE, JsonOption, StoredWorkDirOption

JOB_ID = 12
"""Characters of a job's id that are shown: Ray's has 32; `--json` has all."""

if TYPE_CHECKING:
    from rich.console import Group


def status(
    workdir: StoredWorkDirOption = HERE,
    json: JsonOption = False,
    watch: Annotated[bool, typer.Option("--watch", help="Refresh until interrupted.")] = False,
) -> None:
    """Show counts, then each task: state, GPU, attempt, time, reason."""
    from accsearch.checkpoint.plan import configs_with_plan
    from accsearch.checkpoint.status import status as read_status
    from accsearch.cli.output import console, message, print_json
    from accsearch.errors import UsageError
    from accsearch.workdir import WorkDir

    directory = WorkDir(workdir.resolve())
    if json and not directory.configs():
        # A program may poll it before the first run has begun.
        message(f"{directory.root}: no run has been started here")
        print_json(read_status(directory))
        return
    configs_with_plan(directory)
    if json:
        print_json(read_status(directory))
        return
    out = console()
    if not watch:
        out.print(_render(read_status(directory)))
        return
    if not out.is_terminal:
        raise UsageError("--watch needs a terminal; use `accsearch status --json` in scripts")
    _watch(directory.root, out)


def _watch(root: Any, out: Any) -> NoReturn:
    import signal

    from rich.live import Live

    from accsearch.checkpoint.status import status as read_status
    from accsearch.workdir import WorkDir

    directory = WorkDir(root)
    # Ctrl-C is looked for between two pictures: as an exception it is lost where it meets a finalizer.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    with Live(_render(read_status(directory)), console=out, auto_refresh=False, screen=True) as live:
        while signal.sigtimedwait({signal.SIGINT}, 1.0) is None:
            live.update(_render(read_status(directory)), refresh=True)
    raise KeyboardInterrupt


def _render(state: dict[str, Any]) -> "Group":
    from rich.console import Group
    from rich.text import Text

    from accsearch.cli.output import columns
    from accsearch.process_identity import host_name
    from accsearch.report.text import duration

    colours = {"done": "green", "failed": "red", "running": "cyan", "pending": "yellow"}
    elsewhere = any(task["job_id"] or task["host"] not in (None, host_name()) for task in state["tasks"])
    where = ("node",) if elsewhere else ()
    table = columns("task", "state", *where, "GPU", "attempt", "trials", "time", "timed", "reason", fold=True)
    for task in state["tasks"]:
        trials = f"{task['trials_done']}/{task['trials_total']}" if task["trials_total"] else "-"
        why = ": ".join(part for part in (task["reason"], task["message"]) if part)
        table.add_row(
            f"{task['config']}/{task['id']}",
            Text(task["state"], style=colours[task["state"]]),
            *((_node(task),) if elsewhere else ()),
            task["gpu"] or "-",
            str(task["attempt"] or "-"),
            trials,
            "-" if task["seconds"] is None else duration(task["seconds"]),
            "-" if task["measured_share"] is None else f"{task['measured_share']:.0%}",
            Text(why),
        )
    counts = "  ".join(f"{n} {name}" for name, n in state["counts"].items())
    return Group(Text(counts), table)


def _node(task: dict[str, Any]) -> str:
    """Return where a task runs or was done, with the job's id on a cluster."""
    job = f"job {task['job_id'][:JOB_ID]}" if task["job_id"] else ""
    return ", ".join(part for part in (task["host"], job) if part) or "-"
