"""After any set of methods the pipeline is bit-exactly what it was."""

from itertools import combinations
from typing import Any

import pytest
import torch
from tests.worker.methods.images import METHODS, call, images, with_scheduler

from accsearch.task import Methods
from accsearch.worker.methods.compose import apply

EVERY: Methods = {
    **METHODS,
    "half": {"dtype": "bfloat16"},
    "channels_last": {"enabled": True},
    "fewer_steps": {"ratio": 0.5},
}
SUBSETS = [subset for size in (1, 2, 6) for subset in combinations(EVERY, size)]


def state(pipeline: Any) -> dict[str, Any]:
    """Everything that a method may touch: classes, instance attributes, hooks, weights and their layout."""
    facts: dict[str, Any] = {"pipeline": sorted(vars(pipeline))}
    for part in (pipeline.unet, pipeline.vae):
        for name, module in part.named_modules():
            hooks = [len(module._forward_pre_hooks), len(module._forward_hooks)]
            facts[name] = (type(module), sorted(vars(module)), vars(module).get("forward"), hooks)
        for name, tensor in part.state_dict().items():
            facts[f"weight {name}"] = (tensor.dtype, tensor.stride(), tensor.double().sum().item())
    return facts


@pytest.mark.parametrize("implementation", ["native", "package"])
@pytest.mark.parametrize("subset", SUBSETS, ids="+".join)
def test_undo_is_exact(tiny_pipelines: dict[str, Any], subset: tuple[str, ...], implementation: str) -> None:
    pipeline = with_scheduler(tiny_pipelines["sd"], "DDIM")
    before_images = images(pipeline, {}, num_inference_steps=5)
    before = state(pipeline)

    with apply(pipeline, {name: EVERY[name] for name in subset}, implementation=implementation) as invoke:
        call(invoke, num_inference_steps=5)

    assert state(pipeline) == before
    assert torch.equal(images(pipeline, {}, num_inference_steps=5), before_images)


def test_undo_is_exact_when_the_generation_fails(tiny_pipelines: dict[str, Any]) -> None:
    pipeline = with_scheduler(tiny_pipelines["sd"], "DDIM")
    before = state(pipeline)

    with pytest.raises(ZeroDivisionError), apply(pipeline, EVERY):
        raise ZeroDivisionError

    assert state(pipeline) == before


def test_a_set_that_has_no_implementation_is_refused(tiny_pipelines: dict[str, Any]) -> None:
    with (
        pytest.raises(KeyError, match="no package implementation of compile"),
        apply(tiny_pipelines["sd"], {"compile": {"mode": "default"}}, implementation="package"),
    ):
        pass


@pytest.mark.parametrize("implementation", ["native", "package"])
def test_results_repeat_bit_for_bit(tiny_pipelines: dict[str, Any], implementation: str) -> None:
    pipeline = with_scheduler(tiny_pipelines["sd"], "DDIM")

    with apply(pipeline, METHODS, implementation=implementation) as invoke:
        first, second = call(invoke), call(invoke)

    assert torch.equal(first, second)
