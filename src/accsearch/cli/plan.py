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
    from accsearch.task import Task
    from accsearch.workdir import WorkDir


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

    directory = WorkDir(workdir.resolve())
    rows: list[dict[str, Any]] = []
    grids = load_grids(configs, override, no_scorer=no_scorer)
    _refuse_too_large(grids)
    say_notes(grids, directory)
    for grid in grids:
        for record in audit(directory, grid, keep_stale=keep_stale, rerun_on_versions=rerun_on is not None):
            runs = record.state.value != "done"
            rows.append(
                {
                    "id": record.task.id,
                    "config": record.task.config,
                    "state": record.state.value,
                    "action": "run" if runs else "skip",
                    "why": record.why,
                    "trials_total": len(record.task.trials),
                    "trials_stand": _stand(directory, grid, record.task) if runs else len(record.task.trials),
                }
            )
    if json:
        print_json({"tasks": rows})
        return
    _print_table(rows)


def _stand(workdir: "WorkDir", grid: "Grid", task: "Task") -> int:
    """Return how many trials of a task are measured already and need not be again."""
    from accsearch.grid.reuse import reusable_lines
    from accsearch.result_lines.file import read

    if not task.trials:
        return 0
    found = reusable_lines(grid.config, task, read(workdir.task(task.config, task.id).results))
    return sum(trial.id in found for trial in task.trials)


def _refuse_too_large(grids: "Sequence[Grid]") -> None:
    """Raise NoGpuError for a task that no GPU here could hold; a machine without GPUs plans for another."""
    from accsearch.scheduler.slots.capacity import largest_here, memory_of, refuse_too_large

    on_gpus = [grid for grid in grids if grid.config.worker.device == "cuda"]
    needs = [(task.name, memory_of(task, grid.config)) for grid in on_gpus for task in grid.tasks]
    if any(need is not None for _, need in needs):
        refuse_too_large(needs, largest_here([grid.config for grid in on_gpus]))


def _print_table(rows: list[dict[str, Any]]) -> None:
    from accsearch.cli.output import columns, console

    table = columns("task", "state", "action", "trials", "why", fold=True)
    for row in rows:
        total, stand = row["trials_total"], row["trials_stand"]
        trials = f"{total}, {stand} stand" if row["action"] == "run" and stand else str(total or "-")
        table.add_row(f"{row['config']}/{row['id']}", row["state"], row["action"], trials, row["why"])
    out = console()
    out.print(table)
    running = [row for row in rows if row["action"] == "run"]
    total, stand = (sum(row[name] for row in running) for name in ("trials_total", "trials_stand"))
    trials = f": {total - stand} of their {total} trials are to be measured" if total else ""
    out.print(f"{len(running)} of {len(rows)} tasks would run{trials}")
