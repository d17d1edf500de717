"""`accsearch doctor`: what the machine lacks, and the hashes of results."""

from pathlib import Path
from typing import Annotated

import typer

from accsearch.cli.options import HERE, JsonOption, WorkDirOption


def doctor(
    configs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[CONFIG...]", help="Also say what these need from the hub, and what is cached."
        ),
    ] = None,
    workdir: WorkDirOption = HERE,
    json: JsonOption = False,
) -> int:
    """Check Python, GPUs, limits, storage and results; exit 4 if storage or a result is broken."""
    from accsearch.cli.load import load_grids
    from accsearch.cli.output import console, print_json
    from accsearch.doctor.examine import examine
    from accsearch.doctor.finding import Severity
    from accsearch.errors import StorageError
    from accsearch.workdir import WorkDir

    configurations = [grid.config for grid in load_grids(configs or [], None)]
    findings = list(examine(WorkDir(workdir.resolve()), configurations))
    if json:
        print_json([{"subject": f.subject, "level": f.level, "text": f.text} for f in findings])
    else:
        from rich.table import Table
        from rich.text import Text

        styles = {
            Severity.OK: "green",
            Severity.NOTE: "cyan",
            Severity.WARNING: "yellow",
            Severity.ERROR: "red",
        }
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for finding in findings:
            table.add_row(
                Text(finding.level, style=styles[finding.level]), finding.subject, Text(finding.text)
            )
        console().print(table)
    unsound = [finding for finding in findings if finding.level is Severity.ERROR]
    return StorageError.exit_code if unsound else 0
