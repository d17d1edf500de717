"""`accsearch export`: the trials as a table."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from accsearch.cli.options import HERE, StoredWorkDirOption


class Format(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


def export(
    format: Annotated[Format, typer.Option("--format", help="File format.")] = Format.CSV,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File; default: standard output.")
    ] = None,
    workdir: StoredWorkDirOption = HERE,
) -> None:
    """Write every trial's latest result as one table; beside a csv or jsonl FILE, FILE.schema.json."""
    import sys

    from accsearch.cli.output import message, whole_file
    from accsearch.report.trials import export_trials
    from accsearch.results.columns import schema
    from accsearch.workdir import WorkDir, write_atomic, write_json

    file = None if output is None else whole_file(output)
    data = export_trials(WorkDir(workdir.resolve()), format.value)
    if file is not None:
        write_atomic(file, data)
        if format is not Format.PARQUET:
            write_json(Path(f"{file}.schema.json"), schema())
        message(f"wrote {output}" + ("" if format is Format.PARQUET else f" and {output}.schema.json"))
        return
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
