"""`accsearch tune`: the upper-bound search of one task, stopped as soon as both goals hold."""

from pathlib import Path
from typing import Annotated

import typer

from accsearch.cli.options import HERE, GpusOption, OverrideOption, SlotsOption, WorkDirOption


def tune(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="A configuration of one task.")],
    target_speedup: Annotated[float, typer.Option("--target-speedup", min=1.0, help="Speed-up to reach.")],
    max_loss: Annotated[float, typer.Option("--max-loss", help="Largest relative loss of the score.")],
    override: OverrideOption = None,
    gpus: GpusOption = None,
    slots: SlotsOption = None,
    workdir: WorkDirOption = HERE,
) -> int:
    """Search one task until a trial reaches the speed-up within the loss, or say how close it came."""
    from accsearch.cli.load import load_grids
    from accsearch.cli.start_run import launch
    from accsearch.errors import UsageError
    from accsearch.report.goal import reached
    from accsearch.scheduler.options import RunOptions
    from accsearch.workdir import WorkDir

    goal = [f"search.target_speedup={target_speedup}", f"search.max_score_loss=[{max_loss}]"]
    grids = load_grids([config], [*(override or ()), "search.strategy=upper_bound", *goal])
    if len(grids[0].tasks) != 1:
        raise UsageError(f"{config}: tune searches one task, this grid has {len(grids[0].tasks)}")
    directory = WorkDir(workdir.resolve())
    if code := launch(grids, directory, RunOptions(gpus=gpus, slots=slots or 1)):
        return code
    verdict = reached(directory, grids[0].tasks[0], target_speedup, max_loss)
    typer.echo(verdict.text)
    return 0 if verdict.reached else 1
