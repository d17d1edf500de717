"""The main job on the embedded pipeline, as `make demo` runs it; minutes, so only in `make slow`."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.cli.program import accsearch, read_json

DEMO = str(Path("configs/demo.yaml").resolve())
HOUR = 3600.0
LIMIT = 0.02
INTERVALS = (
    *("-o", "grid.sched=DDIM", "-o", "grid.steps=20"),
    *("-o", "methods={deepcache: {cache_interval: [2, 3, 5, 10]}}"),
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2 * HOUR)]


def run(folder: Path, *options: str) -> list[dict[str, Any]]:
    """Run the demo to its end and return the rows of `best`."""
    ended = accsearch("run", DEMO, *options, "--gpus", "none", "--slots", "2", folder=folder, patience=HOUR)
    assert ended.returncode == 0, ended.stderr
    rows: list[dict[str, Any]] = read_json("best", "--max-loss", str(LIMIT), folder=folder)
    return rows


def measured(folder: Path) -> set[str]:
    """Return the trials of the one task that were measured."""
    (file,) = (folder / "results/demo").glob("*.jsonl")
    lines = map(json.loads, file.read_text().splitlines())
    return {line["trial"] for line in lines if line["status"] == "ok"}


def test_the_demo_confirms_upper_bounds_that_are_surely_faster(tmp_path: Path) -> None:
    rows = run(tmp_path)

    confirmed = {row["task"]: row for row in rows if row["confirmed"]}
    faster = [row for row in confirmed.values() if row["speedup_ci95"][0] > 1.2]
    assert len(faster) >= 3, rows
    for row in faster:
        assert row["decision"] == "within"
        assert row["max_loss"] == LIMIT
        assert row["score_loss"] < LIMIT


def test_the_upper_bound_search_finds_the_traversal_s_with_no_more_trials(tmp_path: Path) -> None:
    # How the loss grows with the interval is known of the demo: 3 loses nothing, 5 much, 10 more.
    found: dict[str, tuple[str, set[str]]] = {}
    for strategy in ("traversal", "upper_bound"):
        folder = tmp_path / strategy
        folder.mkdir()
        rows = run(folder, *INTERVALS, "-o", f"search.strategy={strategy}")
        found[strategy] = rows[0]["trial"], measured(folder)

    assert found["traversal"][0] == found["upper_bound"][0] == "deepcache-i3-b0"
    # After so few trials the band of its predictions is a factor of two, so that it may have to measure them all.
    assert found["upper_bound"][1] <= found["traversal"][1]
    assert len(found["traversal"][1]) == 5
