"""`accsearch plan`: what would run and why."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from accsearch.cli.options import (
    HERE,
    ConfigsArgument,
    JsonOption,
    KeepStaleOption,
    NoScorerOption,
    OverrideOption,
    RerunOnOption,
    WorkDirOption,
)

if TYPE_CHECKING:
    from accsearch.grid import Grid


def plan(
    configs: ConfigsArgument,
    override: OverrideOption = None,
    no_scorer: NoScorerOption = False,
    workdir: WorkDirOption = HERE,
    keep_stale: KeepStaleOption = False,
    rerun_on: RerunOnOption = None,
    json: JsonOption = False,
) -> None:
    """Show the tasks, their states, and for each what would run and why; start nothing."""
    from accsearch.checkpoint.audit import audit
    from accsearch.cli.load import load_grids, say_notes
    from accsearch.cli.output import print_json
    from accsearch.workdir import WorkDir

    rows: list[dict[str, Any]] = []
    grids = load_grids(configs, override, no_scorer=no_scorer)
    _refuse_too_large(grids)
    say_notes(grids, WorkDir(workdir.resolve()))
    for grid in grids:
        for record in audit(
            WorkDir(workdir.resolve()), grid, keep_stale=keep_stale, rerun_on_versions=rerun_on is not None
        ):
            rows.append(
                {
                    "id": record.task.id,
                    "config": record.task.config,
                    "state": record.state.value,
                    "action": "run" if record.state.value != "done" else "skip",
                    "why": record.why,
                    "trials_total": len(record.task.trials),
                }
            )
    if json:
        print_json({"tasks": rows})
        return
    _print_table(rows)


def _refuse_too_large(grids: "Sequence[Grid]") -> None:
    """Raise NoGpuError for a task that no GPU here could hold; a machine without GPUs plans for another."""
    from accsearch.scheduler.fit import largest_here, memory_of, refuse_too_large

    on_gpus = [grid for grid in grids if grid.config.worker.device == "cuda"]
    needs = [(task.name, memory_of(task, grid.config)) for grid in on_gpus for task in grid.tasks]
    if any(need is not None for _, need in needs):
        refuse_too_large(needs, largest_here([grid.config for grid in on_gpus]))


def _print_table(rows: list[dict[str, Any]]) -> None:
    from rich.table import Table

    from accsearch.cli.output import console

    table = Table(box=None, pad_edge=False)
    for heading in ("task", "state", "action", "trials", "why"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(
            f"{row['config']}/{row['id']}", row["state"], row["action"], str(row["trials_total"]), row["why"]
        )
    out = console()
    out.print(table)
    out.print(f"{sum(row['action'] == 'run' for row in rows)} of {len(rows)} tasks would run")
