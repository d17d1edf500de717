"""After any set of methods the pipeline is bit-exactly what it was."""

from itertools import combinations
from typing import Any

import pytest
import torch
from tests.worker.methods.images import METHODS, call, images, with_scheduler
from tests.worker.methods.state import State

from accsearch.task import Methods
from accsearch.worker.methods.compose import apply

EVERY: Methods = {
    **METHODS,
    "half": {"dtype": "bfloat16"},
    "channels_last": {"enabled": True},
    "fewer_steps": {"ratio": 0.5},
}
CASES = [
    (family, subset)
    for family, sizes in (("sd", (1, 2, 6)), ("sdxl", (1, 6)))
    for size in sizes
    for subset in combinations(EVERY, size)
]


@pytest.mark.parametrize("implementation", ["native", "package"])
@pytest.mark.parametrize(
    ("family", "subset"), CASES, ids=lambda part: part if isinstance(part, str) else "+".join(part)
)
def test_undo_is_exact(
    tiny_pipelines: dict[str, Any], family: str, subset: tuple[str, ...], implementation: str
) -> None:
    pipeline = with_scheduler(tiny_pipelines[family], "DDIM")
    before_images = images(pipeline, {}, num_inference_steps=5)
    before = State(pipeline)

    with apply(pipeline, {name: EVERY[name] for name in subset}, implementation=implementation) as invoke:
        call(invoke, num_inference_steps=5)

    before.check(pipeline)
    assert torch.equal(images(pipeline, {}, num_inference_steps=5), before_images)


@pytest.mark.parametrize("family", ["sd", "sdxl"])
def test_undo_is_exact_when_the_generation_fails(tiny_pipelines: dict[str, Any], family: str) -> None:
    pipeline = with_scheduler(tiny_pipelines[family], "DDIM")
    before = State(pipeline)

    with pytest.raises(ZeroDivisionError), apply(pipeline, EVERY):
        raise ZeroDivisionError

    before.check(pipeline)


@pytest.mark.parametrize("implementation", ["native", "package"])
@pytest.mark.parametrize(
    "names", [("half",), ("channels_last",), ("half", "channels_last"), (*METHODS, "half")], ids="+".join
)
@pytest.mark.parametrize("family", ["sd", "sdxl"])
def test_the_plain_pipeline_is_back_while_methods_are_suspended(
    tiny_pipelines: dict[str, Any], family: str, names: tuple[str, ...], implementation: str
) -> None:
    pipeline = with_scheduler(tiny_pipelines[family], "DDIM")
    plain = call(pipeline_call(pipeline))
    before = State(pipeline)

    with apply(pipeline, {name: EVERY[name] for name in names}, implementation=implementation) as applied:
        first = call(applied)
        changed = State(pipeline)
        with applied.suspended():
            before.check_weights(State(pipeline))
            between = call(pipeline_call(pipeline))
        changed.check(pipeline)
        second = call(applied)

    assert torch.equal(between, plain)
    assert torch.equal(first, second)
    assert changed.layouts != before.layouts
    before.check(pipeline)


def pipeline_call(pipeline: Any) -> Any:
    """Return the pipeline's own call, with nothing of ours round it."""
    return lambda **arguments: pipeline(**arguments, output_type="pt", return_dict=False)[0]


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
