import csv
import io
import json

import pyarrow.parquet
import pytest

from accsearch.errors import MissingExtraError
from accsearch.result_lines.columns import COLUMNS, schema
from accsearch.result_lines.export import encode, row
from accsearch.result_lines.line import ResultLine
from accsearch.task import Task

TASK = Task("demo_DDIM_10", "c", {"pipe": "demo", "sched": "DDIM", "steps": 10}, "d")
LINE = ResultLine(
    task=TASK.id,
    trial="tome-r0.5-d1",
    key="k",
    attempt=2,
    methods={"tome": {"ratio": 0.5, "max_downsample": 1}},
    status="ok",
    speedup=1.5,
    speedup_ci95=(1.4, 1.6),
    times=(0.5, 0.25),
    scores=(30.0,),
    active=True,
    note='a "quoted", note',
)


def test_csv_holds_one_row_a_trial():
    [read] = list(csv.DictReader(io.StringIO(encode([row(TASK, LINE)], "csv").decode())))

    assert (read["config"], read["pipe"], read["steps"], read["method_names"]) == ("c", "demo", "10", "tome")
    assert (read["speedup_ci95_low"], read["speedup_ci95_high"], read["psnr"]) == ("1.4", "1.6", "")
    assert json.loads(read["methods"]) == {"tome": {"ratio": 0.5, "max_downsample": 1}}
    assert (read["times"], read["active"], read["note"]) == ("[0.5, 0.25]", "true", 'a "quoted", note')


def test_jsonl_keeps_values_nested():
    read = json.loads(encode([row(TASK, LINE)], "jsonl"))

    assert read["scores"] == [30.0]
    assert read["psnr"] is None
    assert read["steps"] == 10
    assert list(read) == [column.name for column in COLUMNS]


def test_an_empty_table_still_has_its_header():
    assert encode([], "csv").startswith(b"config,task,pipe")
    assert encode([], "jsonl") == b""


def test_every_field_of_a_line_is_exported():
    exported = {column.name for column in COLUMNS}
    intervals = {"speedup_ci95", "score_loss_ci95"}

    assert LINE.to_json().keys() - exported == intervals


def test_parquet_without_pyarrow_names_the_command(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)

    with pytest.raises(MissingExtraError, match=r"pip install pyarrow"):
        encode([row(TASK, LINE)], "parquet")


def test_parquet_has_units_in_its_schema():
    table = pyarrow.parquet.read_table(io.BytesIO(encode([row(TASK, LINE)], "parquet")))

    metadata = table.schema.field("seconds_per_image").metadata
    assert metadata == {b"unit": b"s", b"description": b"median over the repeats"}
    [read] = table.to_pylist()
    assert (read["speedup"], read["times"], read["psnr"], read["steps"]) == (1.5, [0.5, 0.25], None, 10)
    assert json.loads(read["methods"]) == LINE.methods


def test_the_schema_describes_every_column_of_a_table_without_one():
    described = schema()

    assert list(described) == list(row(TASK, LINE))
    assert described["times"] == {
        "type": "numbers",
        "unit": "s",
        "description": "seconds per image of each repeat",
    }
    assert described["trial"]["unit"] is None
    assert all(column.doc for column in COLUMNS)


def test_steps_that_are_no_number_are_none():
    task = Task("many", "c", {"steps": "many"}, "d")

    assert row(task, LINE)["steps"] is None
