"""Kernels of attention, compiled blocks, and what a method that needs a package says without it."""

import sys
from typing import Any

import pytest
import torch
from tests.worker.methods.state import State
from tests.worker.methods.transformers import TinyTask, strong

from accsearch.worker.methods.compose import apply
from accsearch.worker.methods.session import Unsupported


@pytest.fixture(scope="module")
def task(tiny_transformers: dict[str, Any]) -> TinyTask:
    return TinyTask("flux", tiny_transformers["flux"])


def test_an_attention_kernel_of_this_machine_draws_the_same_images_up_to_rounding(task: TinyTask) -> None:
    before = State(task.pipeline)

    images, left = task.draw({"attention": {"backend": "math"}})

    torch.testing.assert_close(images, task.plain, atol=1e-4, rtol=0)
    assert left == 1
    before.check(task.pipeline)


def test_a_kernel_that_the_machine_lacks_is_no_failure_of_the_trial(task: TinyTask) -> None:
    with pytest.raises(Unsupported, match="attention: cudnn cannot run here"):
        task.draw({"attention": {"backend": "cudnn"}})
    assert torch.equal(task.draw({})[0], task.plain)


@pytest.mark.parametrize(
    ("name", "module", "command"),
    [
        ("quantize", "torchao", r"accsearch\[quantize\]"),
        ("cache_dit", "cache_dit", r"accsearch\[cache-dit\]"),
    ],
)
def test_without_its_package_a_method_says_how_to_install_it(
    task: TinyTask, monkeypatch: pytest.MonkeyPatch, name: str, module: str, command: str
) -> None:
    for each in [each for each in sys.modules if each.split(".")[0] == module]:
        monkeypatch.delitem(sys.modules, each)
    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(Unsupported, match=f"{name} needs the package .*: pip install '{command}'"):
        task.draw({name: {}})


def test_compiled_blocks_are_inside_of_the_caches_round_them(
    task: TinyTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[str] = []

    def compile_one(function: Any, **_settings: Any) -> Any:
        compiled.append(type(function.__self__).__name__)
        return function

    # Without a compiler: what is compiled, and where it lies, does not depend on it.
    monkeypatch.setattr(torch, "compile", compile_one)
    images, left = task.draw(
        {**strong("first_block_cache"), "compile": {"mode": "default", "regions": "blocks"}}
    )

    assert compiled == ["FluxTransformerBlock"] * 2 + ["FluxSingleTransformerBlock"] * 2
    assert torch.equal(images, task.draw(strong("first_block_cache"))[0])
    assert left < 0.95


@pytest.mark.parametrize("scheme", ["int8-weight-only", "int8-dynamic"])
def test_quantised_weights_are_put_back(task: TinyTask, scheme: str) -> None:
    before, compiler = State(task.pipeline), torch._inductor.config.save_config_portable()

    with torch.no_grad(), apply(task.pipeline, {"quantize": {"scheme": scheme}}) as applied:
        images = applied(**task.arguments)
        with applied.suspended():
            plain = applied.invoke(**task.arguments)
        assert applied.idle_bytes > 0

    assert not torch.equal(images, task.plain)
    assert torch.equal(plain, task.plain)
    before.check(task.pipeline)
    assert torch._inductor.config.save_config_portable() == compiler


def test_dbcache_acts_and_leaves_the_pipeline_s_class_alone(task: TinyTask) -> None:
    before, plain_call = State(task.pipeline), type(task.pipeline).__call__

    images, left = task.draw({"cache_dit": {"first": 1, "warm_up": 2, "threshold": 0.5}})

    assert not torch.equal(images, task.plain)
    assert left < 0.95
    assert type(task.pipeline).__call__ is plain_call
    before.check(task.pipeline)
    assert torch.equal(task.draw({})[0], task.plain)
