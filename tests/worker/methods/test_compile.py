"""torch.compile alone and under each method of our own."""

import functools
from typing import Any

import pytest
import torch
from tests.worker.methods.images import METHODS, call, images, with_scheduler

from accsearch.worker.methods.compose import apply

pytestmark = [pytest.mark.timeout(900), pytest.mark.filterwarnings("ignore")]
EVERY_TIME = [("sd", ("tome",))]
SLOW = [
    ("sd", ()),
    ("sd", ("deepcache",)),
    ("sd", ("tgate",)),
    ("sd", ("deepcache", "tgate")),
    ("sdxl", ("deepcache", "tgate")),
]
"""What the others cover in part: each is traced for a quarter to half a minute."""


def check(pipeline: Any, others: tuple[str, ...], tolerance: float) -> None:
    methods = {name: METHODS[name] for name in others}
    eager = images(pipeline, methods)
    plain = images(pipeline, {})

    with apply(pipeline, {**methods, "compile": {"mode": "default"}}, seed=7) as applied:
        first, second = call(applied), call(applied)
        with applied.suspended():
            between = images(pipeline, {})
        third = call(applied)

    torch.testing.assert_close(first, eager, atol=tolerance, rtol=0)
    assert torch.equal(first, second)
    assert torch.equal(first, third)
    assert torch.equal(between, plain)
    assert torch.equal(images(pipeline, {}), plain)
    assert "forward" not in vars(pipeline.unet)


@pytest.mark.parametrize(
    ("family", "others"),
    [*EVERY_TIME, *(pytest.param(*each, marks=pytest.mark.slow) for each in SLOW)],
    ids=lambda value: value if isinstance(value, str) else "+".join(value),
)
def test_traced_images_are_those_of_eager_mode(
    tiny_pipelines: dict[str, Any], family: str, others: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The real tracing, guards and graph breaks; only the code generation, which takes minutes, is left out.
    traced = functools.partial(torch.compile, backend="eager")
    monkeypatch.setattr(
        torch, "compile", lambda function, *, mode, dynamic: traced(function, dynamic=dynamic)
    )

    check(with_scheduler(tiny_pipelines[family], "DPMSolverMultistep"), others, 1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("others", [(), ("deepcache", "tgate")], ids="+".join)
def test_compiled_images_are_those_of_eager_mode(
    tiny_pipelines: dict[str, Any], others: tuple[str, ...]
) -> None:
    check(with_scheduler(tiny_pipelines["sd"], "DDIM"), others, 1e-3)
