"""Which stored lines count as a configuration's own."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from accsearch.config.load import build_config
from accsearch.grid import Grid, expand
from accsearch.grid.other_settings import other_settings
from accsearch.grid.reuse import is_whole, own_lines, reusable_lines
from accsearch.grid.setting import CONFIGURED_BATCH, reuse_key, setting_of
from accsearch.result_lines.line import ResultLine
from accsearch.result_lines.proof import LimitProof, Proof

GPU = "NVIDIA H200"
METHODS: dict[str, Any] = {"tome": {"ratio": [0.3, 0.5], "max_downsample": [1]}}


def grid_of(folder: Path, text: str = "a red circle\na blue square\n" * 4, **sections: Any) -> Grid:
    (folder / "prompts.txt").write_text(text)
    worker = {"num_samples": 8, "batch_size": 8, "seed": 1}
    given = {
        "grid": {"pipe": ["demo"], "sched": ["DDIM"], "steps": [10]},
        "prompts": {"file": str(folder / "prompts.txt")},
        "methods": METHODS,
        **sections,
    }
    return expand(build_config(given | {"worker": worker | sections.get("worker", {})}, name="c"))


def lines_of(grid: Grid, *, gpu: str | None = GPU, batch_size: int = 8, **changes: Any) -> list[ResultLine]:
    """Return a line of each trial, as a worker would write it for `grid`."""
    (task,), worker = grid.tasks, grid.config.worker
    dtype = worker.dtype if gpu else "float32"
    setting = setting_of(grid.config, task, batch_size=batch_size, dtype=dtype, gpu_model=gpu)
    line = ResultLine(
        task=task.id, trial="", key="", attempt=1, methods={}, status="ok", seconds_per_image=1.0,
        num_samples=worker.num_samples, batch_size=batch_size, seed=worker.seed, dtype=dtype, gpu_name=gpu,
        environment={CONFIGURED_BATCH: worker.batch_size},
    )  # fmt: skip
    return [
        replace(line, trial=trial.id, methods=trial.methods, key=reuse_key(setting, trial.methods), **changes)
        for trial in task.trials
    ]


def own(grid: Grid, lines: list[ResultLine]) -> list[str]:
    return list(own_lines(grid.config, grid.tasks[0], lines))


ALL = ["baseline", "tome-r0.3-d1", "tome-r0.5-d1"]


def test_lines_of_the_present_setting_are_its_own(tmp_path: Path) -> None:
    grid = grid_of(tmp_path)

    assert own(grid, lines_of(grid)) == ALL
    assert is_whole(grid.config, grid.tasks[0], lines_of(grid))


@pytest.mark.parametrize(
    "changed",
    [
        {"worker": {"guidance_scale": 2.5}},
        {"worker": {"num_samples": 4}},
        {"worker": {"dtype": "bfloat16"}},
        {"worker": {"seed": 2}},
        {"worker": {"height": 256}},
        {"worker": {"repeats": 5}},
        {"worker": {"env": {"A": "1"}}},
        {"worker": {"device": "cpu"}},
        {"text": "a green circle\n" * 8},
        {"quality": {"model": "builtin:tiny"}},
        {"methods": METHODS | {"implementation": "package"}},
    ],
    ids=str,
)
def test_what_was_measured_in_another_setting_is_not(tmp_path: Path, changed: dict[str, Any]) -> None:
    before = lines_of(grid_of(tmp_path))
    now = grid_of(tmp_path, **changed)

    assert own(now, before) == []
    assert not is_whole(now.config, now.tasks[0], before)
    [other] = other_settings(now.config, now.tasks[0], before)
    assert list(other.lines) == ALL and other.difference


def test_a_trial_no_longer_listed_is_left_out_and_nothing_is_missing(tmp_path: Path) -> None:
    before = lines_of(grid_of(tmp_path))
    now = grid_of(tmp_path, methods={"tome": {"ratio": [0.3], "max_downsample": [1]}})

    assert own(now, before) == ALL[:2]
    assert is_whole(now.config, now.tasks[0], before)
    [other] = other_settings(now.config, now.tasks[0], before)
    assert other.difference == "no longer listed"
    assert list(other.lines) == ["baseline", ALL[2]]


def test_a_batch_halved_after_an_oom_is_the_present_configurations(tmp_path: Path) -> None:
    grid = grid_of(tmp_path)

    for batch_size in (4, 2, 1):
        assert own(grid, lines_of(grid, batch_size=batch_size)) == ALL
    assert own(grid, lines_of(grid, batch_size=3)) == []


def test_a_smaller_batch_of_an_earlier_configuration_is_not(tmp_path: Path) -> None:
    before = lines_of(grid_of(tmp_path, worker={"batch_size": 4}), batch_size=4)

    assert own(grid_of(tmp_path), before) == []


def test_a_line_of_an_earlier_version_may_have_been_halved(tmp_path: Path) -> None:
    grid = grid_of(tmp_path)

    assert own(grid, lines_of(grid, batch_size=4, environment={})) == ALL


def test_the_cpu_counts_where_it_is_allowed(tmp_path: Path) -> None:
    strict, lenient = grid_of(tmp_path), grid_of(tmp_path, gpus={"allow_cpu": True})

    assert own(strict, lines_of(strict, gpu=None)) == []
    assert own(lenient, lines_of(lenient, gpu=None)) == ALL


def test_a_setting_that_comes_back_finds_its_lines_again(tmp_path: Path) -> None:
    first, second = grid_of(tmp_path), grid_of(tmp_path, worker={"seed": 2})
    lines = [*lines_of(first), *lines_of(second, status="failed", error="no")]

    found = reusable_lines(first.config, first.tasks[0], lines)

    assert list(found) == ALL and all(line.seed == 1 for line in found.values())
    assert reusable_lines(second.config, second.tasks[0], lines) == {}
    # A worker says them once more, so that they are the last of their trials
    assert not is_whole(first.config, first.tasks[0], lines)
    assert is_whole(first.config, first.tasks[0], [*lines, *lines_of(first)])


def test_what_a_search_left_out_counts_for_a_search_alone(tmp_path: Path) -> None:
    every, search = grid_of(tmp_path), grid_of(tmp_path, search={"strategy": "upper_bound"})
    lines = lines_of(every, status="pruned")

    assert own(every, lines) == []
    assert own(search, lines) == ALL
    assert not is_whole(search.config, search.tasks[0], lines)


@pytest.mark.parametrize(
    ("change", "whole"),
    [
        ({}, True),
        ({"ended": "budget"}, False),
        ({"confirm": False}, False),
        ({"confidence": 0.9}, False),
        ({"bounds": ()}, False),
    ],
    ids=str,
)
def test_a_search_is_whole_once_it_has_proved_what_is_asked_for(
    tmp_path: Path, change: dict[str, Any], whole: bool
) -> None:
    grid = grid_of(tmp_path, search={"strategy": "upper_bound"})
    proof = Proof(0.95, True, 0.01, (LimitProof(0.01, None, {}),))
    base, *rest = lines_of(grid)

    lines = [replace(base, search=replace(proof, **change)), *rest]

    assert is_whole(grid.config, grid.tasks[0], lines) is whole
    assert not is_whole(grid.config, grid.tasks[0], [base, *rest])


def test_lines_of_two_machines_are_not_a_whole(tmp_path: Path) -> None:
    grid = grid_of(tmp_path)
    lines = [*lines_of(grid)[:2], *lines_of(grid, gpu="NVIDIA A100")[2:]]

    assert own(grid, lines) == ALL
    assert not is_whole(grid.config, grid.tasks[0], lines)
