"""T-GATE's plan, and that what it leaves out of its caches is nothing that it would have read."""

from itertools import product
from typing import Any

import pytest
import torch
from tests.worker.methods.images import DEEPCACHE, TGATE, TOME, call, images, with_scheduler

from accsearch.methods.tgate import Plan, Use
from accsearch.task import Methods
from accsearch.worker.methods import tgate
from accsearch.worker.methods.compose import apply

PLANS = [
    {"gate_step": gate, "sp_interval": sp, "fi_interval": fi, "warm_up": 1}
    for gate, (sp, fi) in product((1, 4), ((1, 1), (1, 3), (2, 1)))
]
SETTINGS = {"count": 1, "num_inference_steps": 7}


def storing(plan: Plan, step: int) -> Use:
    """What self-attention does by the paper, where all that is computed from warm-up on is also stored."""
    if step == plan.gate_step - 1:
        return Use.STORE
    if step >= plan.gate_step:
        return Use.STORE if step % plan.fi_interval == 0 else Use.REUSE
    if step < plan.warm_up:
        return Use.COMPUTE
    return Use.STORE if step == plan.warm_up or step % plan.sp_interval == 0 else Use.REUSE


@pytest.mark.parametrize(
    ("scheduler", "others"),
    [
        ("DDIM", {}),
        ("HeunDiscrete", {}),
        ("DDIM", {"deepcache": DEEPCACHE}),
        ("DDIM", {"tome": TOME}),
        ("DDIM", {"deepcache": {"cache_interval": 3, "cache_branch_id": 0}, "tome": TOME}),
    ],
    ids=str,
)
def test_images_are_those_of_storing_everything(
    tiny_pipelines: dict[str, Any], scheduler: str, others: Methods, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = with_scheduler(tiny_pipelines["sd"], scheduler)
    trials = [{**others, "tgate": plan} for plan in PLANS]
    found = [images(pipeline, methods, **SETTINGS) for methods in trials]

    monkeypatch.setattr(Plan, "self_attention", storing)

    for methods, own in zip(trials, found, strict=True):
        assert torch.equal(images(pipeline, methods, **SETTINGS), own), methods


def test_what_no_step_reuses_is_not_stored(
    tiny_pipelines: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = with_scheduler(tiny_pipelines["sd"], "DDIM")
    phases: list[Any] = []

    class Phase(tgate._Phase):
        def __init__(self, layers: int) -> None:
            super().__init__(layers)
            phases.append(self)

    monkeypatch.setattr(tgate, "_Phase", Phase)
    with apply(pipeline, {"tgate": TGATE}) as invoke:
        call(invoke)

    layers = tgate.attentions(pipeline.unet)
    held = [cache is not None for cache in phases[0].caches]
    assert held == [layer.is_cross_attention for layer in layers]


def test_the_other_side_of_the_gate_is_stored_all_the_same() -> None:
    before, after = Plan(4, 2, 1, 1), Plan(4, 1, 2, 1)

    assert [before.self_attention(step).name for step in range(7)] == [
        *("COMPUTE", "STORE", "STORE", "COMPUTE"),
        *("COMPUTE", "COMPUTE", "COMPUTE"),
    ]
    assert [after.self_attention(step).name for step in range(7)] == [
        *("COMPUTE", "COMPUTE", "COMPUTE", "STORE"),
        *("STORE", "REUSE", "STORE"),
    ]
