"""`accsearch.accelerate` makes a user's pipeline compute what a trial measured, and leaves it as it was."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy
import pytest
import torch

import accsearch
from accsearch.demo.tiny import build_tiny_sd
from accsearch.errors import UsageError
from accsearch.methods.combinations import methods_of
from accsearch.worker.methods.compose import apply

PROMPT = "a red circle"
TRIALS = ("deepcache-i2-b0", "tgate-g2-s1-f1-w2", "tome-r0.5-d1", "deepcache-i3-b0+tgate-g3-s1-f1-w0")


@cache
def saved() -> Path:
    return build_tiny_sd(Path(mkdtemp()) / "pipeline")


@pytest.fixture
def pipe() -> Iterator[Any]:
    from diffusers import DDIMScheduler, StableDiffusionPipeline

    loaded = StableDiffusionPipeline.from_pretrained(saved(), dtype=torch.float32)
    loaded.scheduler = DDIMScheduler.from_config(loaded.scheduler.config)
    loaded.set_progress_bar_config(disable=True)
    yield loaded


def draw(pipe: Any, **more: Any) -> Any:
    generator = torch.Generator().manual_seed(3)
    return pipe(PROMPT, num_inference_steps=6, generator=generator, **more)


@pytest.mark.parametrize("trial", TRIALS)
def test_its_images_are_those_of_the_trial(pipe: Any, trial: str) -> None:
    with apply(pipe, methods_of(trial), seed=42) as applied, torch.no_grad():
        expected = applied(
            prompt=PROMPT,
            num_inference_steps=6,
            guidance_scale=7.5,
            generator=torch.Generator().manual_seed(3),
        )
    with accsearch.accelerate(pipe, trial):
        images = draw(pipe, output_type="pt").images
    assert torch.equal(images, expected)


def test_the_pipeline_is_afterwards_what_it_was(pipe: Any) -> None:
    kind, before = type(pipe), draw(pipe, output_type="pt").images
    with accsearch.accelerate(pipe, "deepcache-i3-b0+tome-r0.5-d1") as same:
        assert same is pipe and isinstance(pipe, kind)
        changed = draw(pipe, output_type="pt").images
    assert not torch.equal(changed, before)
    assert type(pipe) is kind
    assert torch.equal(draw(pipe, output_type="pt").images, before)


def test_methods_may_be_given_by_name_with_their_defaults(pipe: Any) -> None:
    with accsearch.accelerate(pipe, {"deepcache": {"cache_interval": 3}}):
        by_name = draw(pipe, output_type="pt").images
    with accsearch.accelerate(pipe, "deepcache-i3-b0"):
        assert torch.equal(draw(pipe, output_type="pt").images, by_name)


def test_images_come_as_the_pipeline_gives_them(pipe: Any) -> None:
    with accsearch.accelerate(pipe, "deepcache-i2-b0"):
        (image,) = draw(pipe).images
        (array,) = draw(pipe, output_type="np", return_dict=False)[0]
    assert numpy.abs(numpy.asarray(image) / 255 - array).max() <= 0.5 / 255 + 1e-6


def test_the_global_generator_is_used_as_without_methods(pipe: Any) -> None:
    def after() -> float:
        torch.manual_seed(5)
        pipe(PROMPT, num_inference_steps=2, output_type="pt")
        return float(torch.rand(1))

    plain = after()
    with accsearch.accelerate(pipe, "deepcache-i2-b0"):
        assert after() == plain


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ("deepcash-i2", "names no method"),
        ("deepcache-i2-bx", "is not a whole number"),
        ({"deepcash": {}}, "unknown method deepcash"),
        ({"deepcache": {"interval": 3}}, "has no parameter interval"),
        ({"deepcache": {"cache_interval": 1}}, "is not allowed"),
        ({"fewer_steps": {"ratio": 0.5}, "deepcache": {}}, "does not combine"),
    ],
)
def test_what_is_no_trial_is_refused_in_one_line(pipe: Any, methods: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message) as found, accsearch.accelerate(pipe, methods):
        raise AssertionError("nothing may be applied")
    assert "\n" not in str(found.value)


def test_an_output_that_is_no_image_is_refused(pipe: Any) -> None:
    with (
        accsearch.accelerate(pipe, "deepcache-i2-b0"),
        pytest.raises(UsageError, match="allowed pil, np, pt"),
    ):
        draw(pipe, output_type="latent")
