import json
from dataclasses import asdict, replace

import pytest

from accsearch.checkpoint.markers import (
    DamagedMarker,
    Done,
    Exit,
    Failed,
    Results,
    Running,
    read_done,
    read_exit,
    read_failed,
    read_running,
    write_done,
    write_exit,
    write_failed,
    write_running,
)
from accsearch.task import FailureReason

RUNNING = Running(
    task="T", pid=2, create_time=1.5, keeper_pid=1, keeper_create_time=1.0, host="h", attempt=1, nonce="n",
    started_at="2026-01-01T00:00:00+00:00", gpu="GPU-1",
)  # fmt: skip
EXIT = Exit(attempt=1, nonce="n", exit_code=0, finished_at="2026-01-01T00:01:00+00:00", seconds=60.0)
DONE = Done(
    task="T", config="C", digest="d", attempt=1, nonce="n", started_at="2026-01-01T00:00:00+00:00",
    finished_at="2026-01-01T00:01:00+00:00", seconds=60.0, host="h", gpu=None, log="logs/C/T.log",
    results=Results(path="results/C/T.jsonl", lines=2, bytes=100, sha256="0" * 64), versions={"torch": "2"},
)  # fmt: skip
FAILED = Failed(
    task="T", config="C", digest="d", attempt=1, reason=FailureReason.OOM, message="CUDA out of memory",
    gpu=None, log="logs/C/T.log", finished_at="2026-01-01T00:01:00+00:00", exit_code=4, counted=1,
)  # fmt: skip
ALL = [
    (RUNNING, write_running, read_running),
    (EXIT, write_exit, read_exit),
    (DONE, write_done, read_done),
    (replace(DONE, results=None), write_done, read_done),
    (FAILED, write_failed, read_failed),
]


@pytest.mark.parametrize(("marker", "write", "read"), ALL)
def test_round_trip(tmp_path, marker, write, read):
    path = tmp_path / "T.marker"

    write(path, marker)

    assert read(path) == marker
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("marker", "write", "read"), ALL)
def test_every_cut_is_noticed(tmp_path, marker, write, read):
    path = tmp_path / "T.marker"
    write(path, marker)
    whole = path.read_bytes().rstrip()

    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(DamagedMarker):
            read(path)


def test_no_file_is_no_marker(tmp_path):
    assert read_done(tmp_path / "T.done") is None


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"\0" * 512, "filled with NUL"),
        (b"[]", "not a JSON object"),
        (b"\xff\xfe{", "truncated or not JSON"),
        (b'{"schema": 2}', "newer version"),
        (b'{"schema": null}', "newer version"),
        (b"{}", "no 'task'"),
    ],
)
def test_damage_is_named(tmp_path, data, why):
    path = tmp_path / "T.done"
    path.write_bytes(data)

    with pytest.raises(DamagedMarker, match=why):
        read_done(path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("attempt", "1"),
        ("attempt", True),
        ("seconds", "6"),
        ("results", {"bytes": 1}),
        ("results", 3),
        ("versions", 1),
    ],
)
def test_wrong_types_are_damage(tmp_path, field, value):
    path = tmp_path / "T.done"
    path.write_text(json.dumps(asdict(DONE) | {field: value}))

    with pytest.raises(DamagedMarker):
        read_done(path)


def test_an_unknown_reason_is_damage(tmp_path):
    path = tmp_path / "T.failed"
    path.write_text(json.dumps(asdict(FAILED) | {"reason": "bad luck"}))

    with pytest.raises(DamagedMarker, match="bad luck"):
        read_failed(path)


def test_extensions_are_dropped_and_whole_seconds_accepted(tmp_path):
    path = tmp_path / "T.done"
    path.write_text(json.dumps(asdict(DONE) | {"added_later": [1], "seconds": 60}))

    assert read_done(path) == DONE
