"""The trials as one flat table: csv, jsonl or parquet."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any, Literal

from accsearch.errors import MissingExtraError
from accsearch.result_lines.columns import COLUMNS
from accsearch.result_lines.line import ResultLine
from accsearch.task import Task

Format = Literal["csv", "jsonl", "parquet"]


def row(task: Task, line: ResultLine, in_plan: bool = True, other: str | None = None) -> dict[str, Any]:
    """Return one trial as column → value; undefined numbers are None, nested values stay nested.

    `in_plan` and `other` are those of `TaskResults`.
    """
    values = line.to_json()
    for name in ("speedup_ci95", "score_loss_ci95"):
        low, high = values.pop(name) or (None, None)
        values[f"{name}_low"], values[f"{name}_high"] = low, high
    axes = {axis: str(task.axes[axis]) for axis in ("pipe", "sched") if axis in task.axes}
    # Of a command worker an axis of this name may be any text.
    steps = str(task.axes.get("steps", ""))
    names = {
        "config": task.config,
        "task": task.id,
        "steps": int(steps) if steps.isdecimal() else None,
        "method_names": "+".join(line.methods) or "none",
        "in_plan": in_plan,
        "other_setting": other,
    }
    values = values | axes | names
    return {column.name: values.get(column.name) for column in COLUMNS}


def encode(rows: Sequence[dict[str, Any]], format: Format) -> bytes:
    """Return the table as a file's content; raises MissingExtraError where parquet needs pyarrow."""
    if format == "csv":
        return _csv(rows)
    if format == "jsonl":
        return b"".join(json.dumps(each, allow_nan=False).encode() + b"\n" for each in rows)
    return _parquet(rows)


def _csv(rows: Sequence[dict[str, Any]]) -> bytes:
    """Return the rows with a header; an undefined value is an empty field, a nested one is JSON."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(column.name for column in COLUMNS)
    for each in rows:
        writer.writerow(_plain(each[column.name]) for column in COLUMNS)
    return text.getvalue().encode()


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, dict | list) else value


def _parquet(rows: Sequence[dict[str, Any]]) -> bytes:
    """Return the rows as parquet; each field's metadata holds its `unit` and its `description`."""
    try:
        import pyarrow as arrow
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise MissingExtraError("parquet needs pyarrow: pip install pyarrow") from error
    types = {
        "text": arrow.string(),
        "json": arrow.string(),
        "integer": arrow.int64(),
        "number": arrow.float64(),
        "flag": arrow.bool_(),
        "numbers": arrow.list_(arrow.float64()),
    }
    fields = [
        arrow.field(
            column.name,
            types[column.kind],
            metadata={"description": column.doc} | ({"unit": column.unit} if column.unit else {}),
        )
        for column in COLUMNS
    ]
    columns = {
        column.name: [
            json.dumps(each[column.name]) if column.kind == "json" else each[column.name] for each in rows
        ]
        for column in COLUMNS
    }
    file = io.BytesIO()
    parquet.write_table(arrow.table(columns, schema=arrow.schema(fields)), file)
    return file.getvalue()
