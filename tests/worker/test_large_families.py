"""Images of FLUX.2, Z-Image, Chroma and AuraFlow: those of the pipeline itself, from prompts encoded once."""

from typing import Any

import pytest
import torch
from tests.worker.large_families import LARGE, SIDE, build

from accsearch.worker.machine import choose_machine
from accsearch.worker.methods.compose import apply
from accsearch.worker.workload import Workload

pytestmark = pytest.mark.filterwarnings("ignore:.FluxPosEmbed. is deprecated:FutureWarning")
PROMPTS = ["a red cat", "a photo of the green house on a tree", "the dog"]
SEED = 11
STEPS = 3


@pytest.fixture(scope="module")
def pipelines() -> dict[str, Any]:
    return {family: build(family) for family in LARGE}


@pytest.mark.parametrize("guidance", [0.0, 1.0, 4.0])
@pytest.mark.parametrize("family", LARGE)
def test_images_are_those_of_the_pipeline_called_with_prompts(
    pipelines: dict[str, Any], family: str, guidance: float
) -> None:
    pipeline = pipelines[family]
    settings = {"num_inference_steps": STEPS, "guidance_scale": guidance, "height": SIDE, "width": SIDE}
    batches = [[0, 1], [2]]
    with torch.inference_mode():
        own = [
            pipeline(
                prompt=[PROMPTS[number] for number in batch],
                generator=[torch.Generator().manual_seed(SEED + number) for number in batch],
                **settings,
                output_type="pt",
            ).images
            for batch in batches
        ]
        exchanged = pipeline(
            prompt=[PROMPTS[1], PROMPTS[0]],
            generator=[torch.Generator().manual_seed(SEED + number) for number in batches[0]],
            **settings,
            output_type="pt",
        ).images

    work = Workload(pipeline, PROMPTS, choose_machine("cpu", "float32"), seed=SEED, settings=settings)
    without_encoder = pipeline.text_encoder is None
    with torch.inference_mode(), apply(pipeline, {}) as invoke:
        ours = [invoke(**work.arguments(batch)) for batch in batches]
    for name, encoder in work.encoders.items():
        setattr(pipeline, name, encoder)

    assert without_encoder
    assert own[0].shape == (2, 3, SIDE, SIDE)
    assert float((own[0] - exchanged).abs().max()) > 1e-4, "the prompts must show"
    for image, its_own in zip(ours, own, strict=True):
        assert torch.equal(image, its_own)
