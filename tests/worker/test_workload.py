"""Embeddings computed once, and noise that does not depend on the batch."""

from typing import Any

import pytest
import torch
from tests.worker.methods.images import with_scheduler

from accsearch.worker.machine import choose_machine
from accsearch.worker.methods.compose import apply
from accsearch.worker.workload import Workload

PROMPTS = ["a red cat", "a blue house", "the large tree", "the small dog", "a photo of a cat"]


def workload(pipeline: Any, guidance: float = 5.0, **settings: int) -> Workload:
    values = {"num_inference_steps": 3, "guidance_scale": guidance, **settings}
    return Workload(pipeline, PROMPTS, choose_machine("cpu", "float32"), seed=11, settings=values)


def test_batches_hold_every_prompt_once(tiny_pipelines: dict[str, Any]) -> None:
    assert workload(tiny_pipelines["sd"]).batches(2) == [[0, 1], [2, 3], [4]]


@pytest.mark.parametrize("family", ["sd", "sdxl"])
@pytest.mark.parametrize("guidance", [1.0, 5.0])
@pytest.mark.parametrize("scheduler", ["DDIM", "EulerAncestralDiscrete"])
def test_an_image_does_not_depend_on_its_batch(
    tiny_pipelines: dict[str, Any], family: str, guidance: float, scheduler: str
) -> None:
    pipeline = with_scheduler(tiny_pipelines[family], scheduler)
    work = workload(pipeline, guidance)

    with torch.inference_mode(), apply(pipeline, {}) as invoke:
        together = invoke(**work.arguments([1, 3]))
        alone = invoke(**work.arguments([3]))

    torch.testing.assert_close(together[1:], alone, atol=1e-4, rtol=0)


def test_a_sampler_does_not_draw_the_noise_that_its_image_starts_from(tiny_pipelines: dict[str, Any]) -> None:
    arguments = workload(tiny_pipelines["sd"]).arguments(range(len(PROMPTS)))

    for generator in arguments["generator"]:
        drawn = torch.randn(arguments["latents"][:1].shape, generator=generator)

        assert all(not torch.equal(drawn[0], latents) for latents in arguments["latents"])


@pytest.mark.parametrize("family", ["sd", "sdxl"])
def test_embeddings_are_those_of_the_pipeline_itself(tiny_pipelines: dict[str, Any], family: str) -> None:
    pipeline = with_scheduler(tiny_pipelines[family], "DDIM")
    arguments = workload(pipeline).arguments([0, 2])
    latents = arguments["latents"]

    with torch.inference_mode(), apply(pipeline, {}) as invoke:
        ours = invoke(**arguments)
        its_own = invoke(
            prompt=[PROMPTS[0], PROMPTS[2]], latents=latents, num_inference_steps=3, guidance_scale=5.0
        )

    torch.testing.assert_close(ours, its_own, atol=1e-4, rtol=0)


def test_a_configured_size_is_drawn(tiny_pipelines: dict[str, Any]) -> None:
    pipeline = tiny_pipelines["sd"]

    with torch.inference_mode(), apply(pipeline, {}) as invoke:
        images = invoke(**workload(pipeline, height=48, width=40).arguments([0]))

    assert images.shape == (1, 3, 48, 40)


@pytest.mark.parametrize("family", ["sd", "sdxl"])
def test_a_model_whose_size_is_not_square_draws_its_own_size(
    tiny_pipelines: dict[str, Any], family: str
) -> None:
    pipeline = tiny_pipelines[family]
    square = pipeline.unet.config.sample_size
    pipeline.unet.register_to_config(sample_size=[12, 20])
    try:
        with torch.inference_mode(), apply(pipeline, {}) as invoke:
            images = invoke(**workload(pipeline).arguments([0, 1]))
    finally:
        pipeline.unet.register_to_config(sample_size=square)

    assert images.shape == (2, 3, 12 * pipeline.vae_scale_factor, 20 * pipeline.vae_scale_factor)


SIZE = {"flux": 32, "sd3": 64, "pixart": 64, "sana": 32, "qwen": 32}


@pytest.mark.parametrize("family", SIZE)
def test_a_transformer_s_image_does_not_depend_on_its_batch_nor_on_where_its_encoders_wait(
    tiny_transformers: dict[str, Any], family: str
) -> None:
    pipeline, side = tiny_transformers[family], SIZE[family]
    encoders = {name: part for name, part in pipeline.components.items() if name.startswith("text_encoder")}
    with_encoders = len([part for part in encoders.values() if part is not None])

    work = workload(pipeline, height=side, width=side)
    assert not any(getattr(pipeline, name) is not None for name in encoders)
    assert len(work.encoders) == with_encoders > 0
    with torch.inference_mode(), apply(pipeline, {}) as invoke:
        together = invoke(**work.arguments([1, 3]))
        alone = invoke(**work.arguments([3]))
    again = Workload(
        pipeline,
        PROMPTS,
        choose_machine("cpu", "float32"),
        seed=11,
        settings={"num_inference_steps": 3, "guidance_scale": 5.0, "height": side, "width": side},
        encoders=work.encoders,
    )
    for name, encoder in again.encoders.items():
        setattr(pipeline, name, encoder)

    assert together.shape == (2, 3, side, side)
    torch.testing.assert_close(together[1:], alone, atol=1e-4, rtol=0)
    for name, value in work.arguments([0]).items():
        if isinstance(value, torch.Tensor):
            assert torch.equal(value, again.arguments([0])[name])


def test_pipelines_guide_by_one_batch_by_two_calls_or_by_an_input(tiny_transformers: dict[str, Any]) -> None:
    from accsearch.worker.methods.guidance import branches

    found = {}
    for family, pipeline in tiny_transformers.items():
        work = workload(pipeline, height=SIZE[family], width=SIZE[family])
        found[family] = branches(pipeline, pipeline.transformer, work.arguments([0]))
        for name, encoder in work.encoders.items():
            setattr(pipeline, name, encoder)

    assert found == {
        "flux": (False, 1),
        "sd3": (True, 1),
        "pixart": (True, 1),
        "sana": (True, 1),
        "qwen": (False, 2),
    }
