"""The setting of a task and what is derived from it: digests, reuse keys, what a result line says."""

from dataclasses import fields, replace
from typing import Any

import pytest

from accsearch.config.load import build_config
from accsearch.grid import Grid, digest_parts, expand
from accsearch.grid.setting import Setting, reuse_key, setting_of

METHODS = {"deepcache": {"cache_interval": 3, "cache_branch_id": 0}}


def pinned() -> Grid:
    """Return the grid of a configuration as of measurement version 2."""
    config = build_config(
        {
            "name": "pinned",
            "grid": {"pipe": ["SD1.5"], "sched": ["DDIM"], "steps": [20, 50]},
            "worker": {"num_samples": 8, "env": {"TOKEN": "x"}},
            "methods": {"tome": {"ratio": [0.3]}},
            "search": {"strategy": "upper_bound"},
        }
    )
    facts = config.facts.model_copy(update={"measurement_version": 2})
    return expand(config.model_copy(update={"facts": facts}))


def setting(**measured: Any) -> Setting:
    grid = pinned()
    return setting_of(grid.config, grid.tasks[0], **measured)


def test_digests_and_keys_are_those_of_work_directories_written_before() -> None:
    grid = pinned()
    measured = setting(batch_size=2, gpu_model="NVIDIA H200")
    command = {"kind": "command", "command": ["true", "{x}"]}
    [other] = expand(build_config({"grid": {"x": ["1"]}, "worker": command, "name": "x"})).tasks

    assert [task.digest for task in grid.tasks] == ["2aefabf842d87403", "94f6949015c5f6c2"]
    assert reuse_key(measured, {"tome": {"ratio": 0.3}}) == "b43f9eb29184e06e"
    assert reuse_key(measured, {}, "short") == "b72b1518627499ce"
    assert other.digest == "71dbac6e7860b177"
    assert (
        digest_parts(grid.config, grid.tasks[0]).items()
        >= {
            "worker.batch_size": "4",
            "worker.guidance_scale": "null",
            "worker.env": "ab8dfe7ce153499f",
            "prompts": "7dd7db95fc93f508",
            "quality": '["ViT-g-14", "laion2b_s34b_b88k", ""]',
            "methods.implementation": "native",
            "search.max_score_loss": "[0.01]",
            "model": "stable-diffusion-v1-5/stable-diffusion-v1-5@main",
            "methods": "7ac504e79d0aa713",
        }.items()
    )


def test_the_order_of_parameters_does_not_matter() -> None:
    turned = {"deepcache": {"cache_branch_id": 0, "cache_interval": 3}}

    assert reuse_key(setting(), METHODS) == reuse_key(setting(), turned)


@pytest.mark.parametrize("fact", fields(Setting), ids=lambda fact: fact.name)
def test_a_key_changes_with_what_was_measured(fact: Any) -> None:
    changed: Setting = replace(setting(), **{fact.name: "something else"})

    assert (reuse_key(changed, METHODS) != reuse_key(setting(), METHODS)) is fact.metadata["key"]


def test_a_parameter_and_a_condition_change_the_key() -> None:
    other = {"deepcache": {"cache_interval": 2, "cache_branch_id": 0}}

    keys = {
        reuse_key(setting(), METHODS),
        reuse_key(setting(), other),
        reuse_key(setting(), METHODS, "short"),
    }

    assert len(keys) == 3


def test_a_line_says_how_it_was_measured_and_what_was_configured() -> None:
    halved = setting(batch_size=2, dtype="float32")

    assert halved.line_fields() == {
        "num_samples": 8,
        "batch_size": 2,
        "seed": 42,
        "dtype": "float32",
        "gpu_name": None,
    }
    assert halved.environment() == {
        "configured_batch_size": 4,
        "guidance_scale": 7.5,
        "implementation": "native",
        "model": "stable-diffusion-v1-5/stable-diffusion-v1-5@main",
        "prompts": "7dd7db95fc93f508",
        "scorer": "ViT-g-14:laion2b_s34b_b88k:",
    }
