"""The schedulers on offer, and those that call the denoiser twice a step."""

from dataclasses import replace
from inspect import signature
from typing import Any

import diffusers
import pytest
import torch
from tests.worker.methods.images import DEEPCACHE, METHODS, STEPS, TGATE, call, images, with_scheduler

from accsearch.config.sampling import refused_steps
from accsearch.config.schedulers import EDM, FLOW_MATCH, SCHEDULERS
from accsearch.demo import TINY_SCHEDULER
from accsearch.methods.cell import SECOND_ORDER, Cell
from accsearch.methods.compatibility import admits
from accsearch.task import Methods
from accsearch.worker.methods.compose import apply

# KDPM2 hands tensors to numpy.
pytestmark = pytest.mark.filterwarnings("ignore:__array_wrap__ must accept context:DeprecationWarning")


@pytest.mark.parametrize("name", sorted(SCHEDULERS))
def test_every_scheduler_on_offer_starts_with_what_is_installed(name: str) -> None:
    scheduler = getattr(diffusers, f"{name}Scheduler")()

    if name not in FLOW_MATCH:
        assert (scheduler.order == 2) == (name in SECOND_ORDER)


SHORT = {**TINY_SCHEDULER, "num_train_timesteps": 100, "original_inference_steps": 20}
SETTINGS: dict[str, dict[str, Any]] = {
    "as SD1.5": {**SHORT, "skip_prk_steps": True},
    "leading": {**SHORT, "timestep_spacing": "leading", "skip_prk_steps": False},
    "trailing": {**SHORT, "timestep_spacing": "trailing"},
    "no offset": {**SHORT, "steps_offset": 0},
}
SD15 = pytest.param({**TINY_SCHEDULER, "skip_prk_steps": True}, marks=pytest.mark.slow, id="SD1.5")


@pytest.mark.parametrize("settings", [*(pytest.param(each, id=key) for key, each in SETTINGS.items()), SD15])
@pytest.mark.parametrize("name", sorted(SCHEDULERS - FLOW_MATCH - EDM))
def test_the_steps_that_are_refused_are_those_that_diffusers_cannot_take(
    name: str, settings: dict[str, Any]
) -> None:
    trained = settings.get("num_train_timesteps", 1000)
    admitted = [n for n in range(1, trained + 1) if refused_steps(name, settings, n) is None]
    assert admitted == list(range(admitted[0], admitted[-1] + 1))

    for steps in (admitted[0], admitted[-1]):
        assert samples(name, settings, steps), steps
    for steps in (admitted[0] - 1, admitted[-1] + 1):
        if 0 < steps <= trained:
            assert not samples(name, settings, steps), steps


def samples(name: str, settings: dict[str, Any], steps: int) -> bool:
    """Say whether a scheduler samples in so many steps: finite, at timesteps of the training, without an error."""
    scheduler = getattr(diffusers, f"{name}Scheduler").from_config(settings)
    draws = {"generator": torch.Generator()} if "generator" in signature(scheduler.step).parameters else {}
    try:
        scheduler.set_timesteps(steps)
        if (
            not 0
            <= float(scheduler.timesteps.min())
            <= float(scheduler.timesteps.max())
            < trained_steps(scheduler)
        ):
            return False
        latents = torch.ones(1, 1, 2, 2) * scheduler.init_noise_sigma
        for timestep in scheduler.timesteps:
            output = 0.1 * scheduler.scale_model_input(latents, timestep)
            latents = scheduler.step(output, timestep, latents, return_dict=False, **draws)[0]
    except (AssertionError, IndexError, ValueError):
        return False
    return bool(latents.isfinite().all())


def trained_steps(scheduler: Any) -> int:
    return int(scheduler.config.num_train_timesteps)


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
