"""The schedulers on offer, and those that call the denoiser twice a step."""

from dataclasses import replace
from typing import Any

import diffusers
import pytest
from tests.worker.methods.images import DEEPCACHE, METHODS, STEPS, TGATE, call, images, with_scheduler

from accsearch.config.schedulers import FLOW_MATCH, SCHEDULERS
from accsearch.methods.compatibility import SECOND_ORDER, Cell, admits
from accsearch.task import Methods
from accsearch.worker.methods.compose import apply

# KDPM2 hands tensors to numpy.
pytestmark = pytest.mark.filterwarnings("ignore:__array_wrap__ must accept context:DeprecationWarning")


@pytest.mark.parametrize("name", sorted(SCHEDULERS))
def test_every_scheduler_on_offer_starts_with_what_is_installed(name: str) -> None:
    scheduler = getattr(diffusers, f"{name}Scheduler")()

    if name not in FLOW_MATCH:
        assert (scheduler.order == 2) == (name in SECOND_ORDER)


@pytest.mark.parametrize("name", sorted(SECOND_ORDER))
def test_a_step_is_gated_and_cached_whole(tiny_pipelines: dict[str, Any], name: str) -> None:
    pipeline = with_scheduler(tiny_pipelines["sd"], name)
    gated: list[int] = []
    computed: list[bool] = []
    hooks = [
        pipeline.unet.conv_in.register_forward_pre_hook(lambda _, args: gated.append(args[0].shape[0])),
        pipeline.unet.register_forward_pre_hook(lambda *_: computed.append(False)),
        pipeline.unet.mid_block.register_forward_hook(lambda *_: computed.__setitem__(-1, True)),
    ]

    try:
        images(pipeline, {"tgate": TGATE})
        calls, computed = len(computed), []
        images(pipeline, {"deepcache": DEEPCACHE})
    finally:
        for hook in hooks:
            hook.remove()

    # Two calls a step except the last, which makes one.
    assert calls == 2 * STEPS - 1
    # With guidance two prompts are four images; the gate is after whole steps.
    before = 2 * TGATE["gate_step"]
    assert gated[:calls] == [4] * before + [2] * (calls - before)
    assert computed == [index % DEEPCACHE["cache_interval"] == 0 for index in range(calls)]


@pytest.mark.parametrize("name", sorted(SECOND_ORDER))
def test_methods_repeat_and_the_packages_are_refused(tiny_pipelines: dict[str, Any], name: str) -> None:
    pipeline = with_scheduler(tiny_pipelines["sd"], name)
    baseline = images(pipeline, {})
    cell = Cell(family="sd", scheduler=name, steps=STEPS, unet_blocks=9, dtype="float32")
    package = replace(cell, implementation="package")

    for method, parameters in METHODS.items():
        methods: Methods = {method: parameters}
        with apply(pipeline, methods, seed=7) as invoke:
            first, second = call(invoke), call(invoke)

        assert first.equal(second), method
        assert 0 < (first - baseline).abs().mean() < 0.1, method
        assert admits(cell, methods) is None
        assert (admits(package, methods) is None) == (method == "tome")
