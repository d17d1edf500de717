"""`accsearch best`: the upper bound."""

from enum import StrEnum
from typing import Annotated

import typer

from accsearch.cli.options import HERE, JsonOption, MaxLossOption, OthersOption, StoredWorkDirOption


class Per(StrEnum):
    TASK = "task"
    PIPE = "pipe"


def best(
    max_loss: MaxLossOption = None,
    per: Annotated[Per, typer.Option("--per", help="Per task, or over a pipe's whole grid.")] = Per.TASK,
    reference: Annotated[
        str | None, typer.Option("--reference", metavar="TASK", help="Baseline of --per pipe.")
    ] = None,
    others: OthersOption = False,
    snippet: Annotated[
        bool, typer.Option("--snippet", help="Print a program that applies each upper bound.")
    ] = False,
    workdir: StoredWorkDirOption = HERE,
    json: JsonOption = False,
) -> None:
    """Show the fastest active trial within each quality limit."""
    from accsearch.cli.options import max_losses
    from accsearch.cli.output import console, message, print_json
    from accsearch.errors import UsageError
    from accsearch.report.best import best_selection, best_table
    from accsearch.report.snippet import snippets
    from accsearch.workdir import WorkDir

    if others and per is Per.PIPE:
        raise UsageError("--all: trials of other settings are compared per task only; leave --per pipe out")
    root = WorkDir(workdir.resolve())
    selection = best_selection(
        root,
        max_losses=max_losses(max_loss),
        per=per.value,
        reference=reference,
        others=others,
    )
    rows = [row.to_json() for row in selection.rows]
    for note in selection.notes:
        message(note)
    if json:
        print_json(rows)
        return
    if snippet:
        programs = snippets(root, rows)
        print(
            programs or "# nothing is faster than the baseline within the limit", end="" if programs else None
        )
        return
    console().print(best_table(rows))
