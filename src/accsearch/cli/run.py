"""`accsearch run`: plan, then run what is not done."""

from typing import Annotated

import typer

from accsearch.cli.options import (
    HERE,
    AddressOption,
    ConfigsArgument,
    ExecutorName,
    ExecutorOption,
    GpusOption,
    KeepStaleOption,
    NoScorerOption,
    OverrideOption,
    RerunOnOption,
    SlotsOption,
    WorkDirOption,
)


def run(
    configs: ConfigsArgument,
    override: OverrideOption = None,
    no_scorer: NoScorerOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would run and stop.")] = False,
    keep_stale: KeepStaleOption = False,
    rerun_on: RerunOnOption = None,
    gpus: GpusOption = None,
    slots: SlotsOption = None,
    executor: ExecutorOption = ExecutorName.LOCAL,
    address: AddressOption = None,
    workdir: WorkDirOption = HERE,
) -> int:
    """Run every task of the configurations that is not done; they share the GPUs."""
    if dry_run:
        from accsearch.cli.plan import plan

        plan(configs, override, no_scorer, workdir, keep_stale, rerun_on)
        return 0

    from accsearch.cli.load import load_grids, say_notes
    from accsearch.cli.start_run import launch
    from accsearch.scheduler.options import RunOptions
    from accsearch.workdir import WorkDir

    grids = load_grids(configs, override, no_scorer=no_scorer)
    directory = WorkDir(workdir.resolve())
    say_notes(grids, directory)
    options = RunOptions(
        gpus=gpus,
        slots=slots,
        keep_stale=keep_stale,
        rerun_on_versions=rerun_on is not None,
        executor=executor.value,
        address=address,
    )
    return launch(grids, directory, options)
