"""`accsearch replay`: measure one stored trial again."""

from typing import Annotated

import typer

from accsearch.cli.options import HERE, WorkDirOption


def replay(
    task: Annotated[str, typer.Argument(metavar="TASK", help="TASK, or CONFIG/TASK where ambiguous.")],
    trial: Annotated[
        str, typer.Argument(metavar="TRIAL", help="Id of a trial, as `accsearch export` shows it.")
    ],
    workdir: WorkDirOption = HERE,
) -> int:
    """Run one trial again from its stored plan; say whether images are identical and times agree."""
    import subprocess
    import sys

    from accsearch.checkpoint.select import find_task
    from accsearch.errors import UsageError
    from accsearch.workdir import WorkDir

    directory = WorkDir(workdir.resolve())
    found = find_task(directory, task)
    if trial not in {each.id for each in found.trials}:
        raise UsageError(f"{found.name} has no trial {trial}; it has {', '.join(t.id for t in found.trials)}")
    axes = [part for axis in ("pipe", "sched", "steps") for part in (f"--{axis}", str(found.axes[axis]))]
    command = [sys.executable, "-m", "accsearch.worker", "--workdir", str(directory.root)]
    return subprocess.run(
        [*command, "--config", found.config, *axes, "--replay", trial], check=False
    ).returncode
