import dataclasses

import pytest

from accsearch.results.key import Setting, reuse_key

SETTING = Setting(
    model="demo",
    revision=None,
    scheduler="DDIM",
    steps=10,
    prompts="abc",
    num_samples=4,
    batch_size=4,
    seed=42,
    dtype="float32",
    gpu_model=None,
    guidance_scale=4.0,
    height=None,
    width=None,
    scorer="s",
    implementation="native",
    repeats=3,
    max_repeats=10,
    ci_width=0.01,
    warmup=1,
    env={},
)
METHODS = {"deepcache": {"cache_interval": 3, "cache_branch_id": 0}}


def test_the_order_of_parameters_does_not_matter():
    turned = {"deepcache": {"cache_branch_id": 0, "cache_interval": 3}}

    assert reuse_key(SETTING, METHODS) == reuse_key(SETTING, turned)


@pytest.mark.parametrize("name", [f.name for f in dataclasses.fields(Setting)])
def test_any_fact_changes_the_key(name):
    changed = dataclasses.replace(SETTING, **{name: "something else"})

    assert reuse_key(changed, METHODS) != reuse_key(SETTING, METHODS)


def test_a_parameter_and_a_condition_change_the_key():
    other = {"deepcache": {"cache_interval": 2, "cache_branch_id": 0}}

    keys = {reuse_key(SETTING, METHODS), reuse_key(SETTING, other), reuse_key(SETTING, METHODS, "short")}

    assert len(keys) == 3
