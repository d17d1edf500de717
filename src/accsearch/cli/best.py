"""`accsearch best`: the upper bound."""

from enum import StrEnum
from typing import Annotated

import typer

from accsearch.cli.options import HERE, JsonOption, StoredWorkDirOption


class Per(StrEnum):
    TASK = "task"
    PIPE = "pipe"


def best(
    max_loss: Annotated[float, typer.Option("--max-loss", help="Largest relative loss of the score.")] = 0.01,
    per: Annotated[Per, typer.Option("--per", help="Per task, or over a pipe's whole grid.")] = Per.TASK,
    reference: Annotated[
        str | None, typer.Option("--reference", metavar="TASK", help="Baseline of --per pipe.")
    ] = None,
    workdir: StoredWorkDirOption = HERE,
    json: JsonOption = False,
) -> None:
    """Show the fastest active trial within the quality limit."""
    from accsearch.cli.output import console, message, print_json
    from accsearch.errors import UsageError
    from accsearch.report.best import best_selection, best_table
    from accsearch.workdir import WorkDir

    if not 0 <= max_loss <= 1:
        raise UsageError(f"--max-loss {max_loss:g}: allowed 0 to 1")
    selection = best_selection(
        WorkDir(workdir.resolve()), max_loss=max_loss, per=per.value, reference=reference
    )
    rows = [row.to_json() for row in selection.rows]
    for note in selection.notes:
        message(note)
    if json:
        print_json(rows)
        return
    console().print(best_table(rows))
