from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch

from accsearch.demo.operators import register_torchvision_operators
from accsearch.demo.tiny import IMAGE_SIZE, build_tiny_scorer, build_tiny_sd, build_tiny_sdxl
from accsearch.demo.tiny_transformers import (
    build_tiny_flux,
    build_tiny_pixart,
    build_tiny_qwen,
    build_tiny_sana,
    build_tiny_sd3,
)

register_torchvision_operators()


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.mark.parametrize(
    ("build", "size", "settings"),
    [
        (build_tiny_sd, IMAGE_SIZE, {}),
        (build_tiny_sdxl, IMAGE_SIZE, {}),
        (build_tiny_pixart, 256, {"clean_caption": False}),
        (build_tiny_sd3, 256, {}),
        (build_tiny_flux, 32, {"height": 32, "width": 32}),
        (build_tiny_qwen, 32, {"height": 32, "width": 32, "negative_prompt": " "}),
        (build_tiny_sana, 32, {"height": 32, "width": 32, "use_resolution_binning": False}),
    ],
)
def test_a_saved_pipeline_loads_and_draws_what_its_prompt_and_seed_decide(
    build: Callable[[Path], Path], size: int, settings: dict[str, Any], tmp_path: Path
) -> None:
    from diffusers import DiffusionPipeline

    pipeline = DiffusionPipeline.from_pretrained(build(tmp_path / "model"))
    pipeline.set_progress_bar_config(disable=True)

    def draw(prompt: str) -> numpy.ndarray:
        generator = torch.Generator().manual_seed(3)
        return pipeline(
            prompt, num_inference_steps=3, generator=generator, output_type="np", **settings
        ).images

    image = draw("a red cat")

    assert image.shape == (1, size, size, 3)
    assert numpy.isfinite(image).all() and image.std() > 0.01
    assert numpy.array_equal(image, draw("a red cat"))
    assert not numpy.array_equal(image, draw("the green house"))


def test_the_same_seed_gives_the_same_weights_and_leaves_the_callers_generator_alone(tmp_path: Path) -> None:
    before = torch.random.get_rng_state()

    weights = [
        (build_tiny_sd(tmp_path / name, seed) / "unet" / "diffusion_pytorch_model.safetensors").read_bytes()
        for name, seed in (("first", 1), ("again", 1), ("other", 2))
    ]

    assert weights[0] == weights[1] != weights[2]
    assert torch.equal(before, torch.random.get_rng_state())


def test_attention_sits_where_the_full_size_models_have_it(tmp_path: Path) -> None:
    from diffusers import UNet2DConditionModel

    sd = UNet2DConditionModel.from_pretrained(build_tiny_sd(tmp_path / "sd"), subfolder="unet")
    sdxl = UNet2DConditionModel.from_pretrained(build_tiny_sdxl(tmp_path / "sdxl"), subfolder="unet")

    assert [hasattr(block, "attentions") for block in sd.down_blocks] == [True, True, True]
    assert [hasattr(block, "attentions") for block in sdxl.down_blocks] == [False, True, True]


def test_the_scorer_loads_with_its_own_tokenizer(tmp_path: Path) -> None:
    import open_clip

    name = f"local-dir:{build_tiny_scorer(tmp_path / 'scorer')}"
    model, _, preprocess = open_clip.create_model_and_transforms(name)
    tokens = open_clip.get_tokenizer(name)(["a red cat", "the green house"])

    with torch.inference_mode():
        features = model.encode_text(tokens, normalize=True)

    assert preprocess is not None and tokens.shape == (2, model.context_length)
    assert not torch.allclose(features[0], features[1])
