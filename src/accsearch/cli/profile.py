"""`accsearch profile`: hand a winner on with its evidence, and see whether it holds elsewhere."""

from pathlib import Path
from typing import Annotated

import typer

from accsearch.cli.options import HERE, GpusOption, SlotsOption, StoredWorkDirOption

HELP = "Hand a winner on with its evidence, and see whether it holds elsewhere."
app = typer.Typer(help=HELP, no_args_is_help=True)


@app.command()
def export(
    task: Annotated[str, typer.Argument(metavar="TASK", help="TASK, or CONFIG/TASK where ambiguous.")],
    max_loss: Annotated[
        float | None, typer.Option("--max-loss", min=0, max=1, help="Largest relative loss of the score.")
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="File; default: stdout.")] = None,
    workdir: StoredWorkDirOption = HERE,
) -> None:
    """Write the fastest trial within a loss, with its setting and its evidence, as one JSON file."""
    import json

    from accsearch.cli.output import print_json, whole_file
    from accsearch.report.profile import export_profile
    from accsearch.workdir import WorkDir, write_atomic

    target = None if output is None else whole_file(output)
    profile = export_profile(WorkDir(workdir.resolve()), task, max_loss)
    if target is None:
        print_json(profile)
    else:
        write_atomic(target, f"{json.dumps(profile, indent=2, allow_nan=False)}\n".encode())


@app.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A profile that `profile export` wrote.")],
    prompts: Annotated[int, typer.Option("--prompts", min=2, help="Prompts to measure it on.")] = 8,
    device: Annotated[
        str | None, typer.Option("--device", help="cuda or cpu; default: the profile's.")
    ] = None,
    gpus: GpusOption = None,
    slots: SlotsOption = None,
) -> int:
    """Measure a profile's trial again on this machine; say whether its speed-up and loss still hold."""
    import tempfile

    from accsearch.checkpoint.measured import results_of_plan
    from accsearch.checkpoint.plan import load_plan
    from accsearch.cli.start_run import launch
    from accsearch.report.profile import check, check_grid, read_profile
    from accsearch.scheduler.options import RunOptions
    from accsearch.workdir import WorkDir

    profile = read_profile(file)
    grid = check_grid(profile, prompts, device)
    with tempfile.TemporaryDirectory(prefix="accsearch-") as folder:
        workdir = WorkDir(Path(folder))
        if code := launch([grid], workdir, RunOptions(gpus=gpus, slots=slots or 1)):
            return code
        [results] = results_of_plan(workdir, load_plan(workdir, grid.config.name))
        answer = check(profile, results)
    typer.echo(answer.text)
    return 0 if answer.holds else 1
