"""`accsearch export`: the trials as a table."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from accsearch.cli.options import HERE, OthersOption, StoredWorkDirOption


class Format(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


def export(
    format: Annotated[Format, typer.Option("--format", help="File format.")] = Format.CSV,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File; default: standard output.")
    ] = None,
    others: OthersOption = False,
    workdir: StoredWorkDirOption = HERE,
) -> None:
    """Write the latest result of every trial as one table; -o FILE also writes FILE.schema.json for csv and jsonl."""
    import sys

    from accsearch.cli.output import message, whole_file
    from accsearch.report.trials import export_trials
    from accsearch.result_lines.columns import schema
    from accsearch.workdir import SHARED, WorkDir, encode_json, write_atomic

    file = None if output is None else whole_file(output)
    data = export_trials(WorkDir(workdir.resolve()), format.value, others=others)
    if file is not None:
        write_atomic(file, data, mode=SHARED)
        if format is not Format.PARQUET:
            write_atomic(Path(f"{file}.schema.json"), encode_json(schema()), mode=SHARED)
        message(f"wrote {output}" + ("" if format is Format.PARQUET else f" and {output}.schema.json"))
        return
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
