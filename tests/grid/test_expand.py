"""Tasks, their ids, trials, notes and digests."""

import re
from pathlib import Path
from typing import Any

import pytest

from accsearch.config.load import build_config
from accsearch.config.schema import Config
from accsearch.grid import digest_parts, expand
from accsearch.task import BASELINE

GRID = {"pipe": ["SD1.5"], "sched": ["DDIM", "PNDM"], "steps": [20, 50]}
METHODS = {"tgate": {"gate_step": [10, 25]}}


def config(**sections: Any) -> Config:
    return build_config({"grid": GRID, "methods": METHODS, **sections})


def digests(config: Config) -> list[str]:
    return [task.digest for task in expand(config).tasks]


def test_ids_join_the_values_in_the_order_of_the_axes() -> None:
    grid = expand(config())

    assert [task.id for task in grid.tasks] == [
        "SD1.5_DDIM_20",
        "SD1.5_DDIM_50",
        "SD1.5_PNDM_20",
        "SD1.5_PNDM_50",
    ]
    assert grid.tasks[0].axes == {"pipe": "SD1.5", "sched": "DDIM", "steps": 20}
    assert grid.tasks[0].name == "config/SD1.5_DDIM_20"


def test_the_baseline_is_first_and_values_only_some_cells_admit_are_left_out_with_a_note() -> None:
    grid = expand(config())

    assert [trial.id for trial in grid.tasks[0].trials] == [BASELINE, "tgate-g10-s5-f1-w2"]
    assert [trial.id for trial in grid.tasks[1].trials][2:] == ["tgate-g25-s5-f1-w2"]
    assert grid.notes == (
        "methods.tgate.gate_step 25 is left out of 2 of 4 tasks: gate_step 25 is not below 20 steps",
    )


def test_one_cause_is_one_note() -> None:
    lists = {
        "deepcache": {"cache_interval": [2, 30, 40], "cache_branch_id": [0, 3]},
        "tgate": {"gate_step": [25, 30], "sp_interval": [1, 5], "fi_interval": [1, 2], "warm_up": [2]},
    }
    grid = {"pipe": ["SD1.5"], "sched": ["DDIM"], "steps": [8, 20, 45]}
    notes = expand(build_config({"grid": grid, "methods": lists})).notes

    assert notes == (
        "methods.deepcache.cache_interval 30, 40 are left out of 2 of 3 tasks: cache_interval 30 is more than 8 steps",
        "tgate is left out of 2 of 3 tasks: gate_step 25 is not below 8 steps",
    )


def test_methods_refused_for_one_cause_share_a_note() -> None:
    pipe = {"name": "flux", "model": "someone/flux", "class": "FluxPipeline"}
    grid = {"pipe": [pipe], "sched": ["FlowMatchEulerDiscrete"], "steps": [20]}

    notes = expand(build_config({"grid": grid})).notes

    assert notes == (
        "deepcache, tgate, tome are left out of every task: does not work on a pipeline of the family flux",
    )


def test_defaults_that_no_cell_admits_are_left_out_instead_of_refused() -> None:
    grid = expand(build_config({"grid": {"pipe": ["SDXL"], "sched": ["DDIM"], "steps": [20]}}))

    assert any("max_downsample 1 is left out of every task" in note for note in grid.notes)
    assert not any("-d1" in trial.id for trial in grid.tasks[0].trials)


def test_a_command_worker_may_have_any_axes() -> None:
    worker = {"kind": "command", "command": ["echo", "{b}"]}
    grid = expand(build_config({"grid": {"b": ["x", "y"], "a": ["1.50"]}, "worker": worker}))

    assert [(task.id, task.axes, task.trials) for task in grid.tasks] == [
        ("x_1.50", {"b": "x", "a": "1.50"}, ()),
        ("y_1.50", {"b": "y", "a": "1.50"}, ()),
    ]


def test_methods_that_never_combine_are_noted() -> None:
    grid = expand(config(methods={"tome": {}, "fewer_steps": {}}))

    assert grid.notes == ("fewer_steps is a trial of its own, it does not combine with tome",)


def test_combinations_that_only_some_cells_admit_are_named_with_the_reason() -> None:
    methods = {
        "implementation": "package",
        "deepcache": {"cache_interval": [2, 3]},
        "tgate": {"gate_step": [8, 10], "sp_interval": [1, 5]},
    }

    every = expand(config(methods=methods)).notes
    some = expand(config(methods=methods, grid=GRID | {"sched": ["DDIM", "HeunDiscrete"]})).notes

    ids = "deepcache-i2-b0+tgate-g8-s5-f1-w0, deepcache-i2-b0+tgate-g10-s5-f1-w0, deepcache-i3-b0+tgate-g8-s5-f1-w0"
    reason = "with DeepCache the package of tgate needs sp_interval 1: skipped layers hold no cache"
    assert f"{ids} and 1 more are left out of every task: {reason}" in every
    # Heun refuses each method by itself, which is said of its values.
    assert f"{ids} and 1 more are left out of 2 of 4 tasks: {reason}" in some
    assert not any("+" in note and "HeunDiscrete" in note for note in some)


def test_equal_cells_share_their_trials_and_digests_are_of_their_own() -> None:
    tasks = expand(build_config({"grid": GRID | {"pipe": ["SD1.5", "SD2.1"]}, "methods": METHODS})).tasks

    assert tasks[0].trials is tasks[4].trials
    assert len({task.digest for task in tasks}) == len(tasks)
    assert all(re.fullmatch(r"[0-9a-f]{16}", task.digest) for task in tasks)


@pytest.mark.parametrize(
    "change",
    [
        {"worker": {"num_samples": 8}},
        {"worker": {"seed": 1}},
        {"worker": {"env": {"A": "1"}}},
        {"worker": {"guidance_scale": 5.0}},
        {"quality": {"model": "RN50-quickgelu", "pretrained": "openai"}},
        {"prompts": {"dataset": "phiyodr/coco2017", "revision": "abc"}},
        {"methods": {"tgate": {"gate_step": [9, 25]}}},
        {"methods": {**METHODS, "implementation": "package"}},
        {"search": {"strategy": "upper_bound"}},
    ],
    ids=str,
)
def test_what_changes_results_changes_every_digest(change: dict[str, Any]) -> None:
    assert not set(digests(config())) & set(digests(config(**change)))


@pytest.mark.parametrize(
    "change",
    [
        {"name": "other"},
        {"gpus": {"samples": 9}},
        {"retry": {"max_attempts": 9}},
        {"worker": {"timeout": "1h", "stall_timeout": "5m"}},
    ],
    ids=str,
)
def test_what_changes_no_result_changes_no_digest(change: dict[str, Any]) -> None:
    assert digests(config()) == digests(config(**change))


def test_a_value_for_some_cells_leaves_the_others_digests_alone() -> None:
    fewer = digests(config(methods={"tgate": {"gate_step": [10]}}))
    more = digests(config())

    assert [one == other for one, other in zip(fewer, more, strict=True)] == [True, False, True, False]


def test_the_content_of_the_prompts_counts_not_their_place(tmp_path: Path) -> None:
    one, other = tmp_path / "one.txt", tmp_path / "other.txt"
    one.write_text("a cat\n" * 32, encoding="utf-8")
    other.write_text("a cat\n" * 32, encoding="utf-8")
    before = digests(config(prompts={"file": str(one)}))

    assert digests(config(prompts={"file": str(other)})) == before
    other.write_text("a dog\n" * 32, encoding="utf-8")
    assert digests(config(prompts={"file": str(other)})) != before


def test_the_parts_of_a_digest_say_what_changed() -> None:
    before, after = config(), config(worker={"num_samples": 8})
    parts = [digest_parts(each, expand(each).tasks[0]) for each in (before, after)]

    changed = {key for key in parts[0] if parts[0][key] != parts[1][key]}
    assert changed == {"worker.num_samples"}
    assert parts[1]["worker.num_samples"] == "8"
    assert {"model", "prompts", "methods", "measurement_version", "quality"} <= parts[0].keys()


def test_a_stored_plan_expands_to_the_same_grid() -> None:
    grid = expand(config())

    assert expand(Config.from_resolved(grid.config.resolved())) == grid
