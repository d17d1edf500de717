"""Save a full-size SD1.5 or SDXL pipeline with random weights, for timing on a machine without a download.

    python scripts/make_random_pipeline.py --kind sd15 --out models/sd15-random

The weights are float16 and mean nothing: such a pipeline has the real cost and no quality.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

from accsearch.demo.operators import register_torchvision_operators

register_torchvision_operators()

from diffusers import (  # noqa: E402
    AutoencoderKL,
    DDIMScheduler,
    EulerDiscreteScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection  # noqa: E402

from accsearch.demo import TINY_SCHEDULER  # noqa: E402
from accsearch.demo.vocabulary import build_tokenizer  # noqa: E402

MAX_LENGTH = 77
VOCABULARY_SIZE = 49408
# Small enough that sixty random layers stay far inside float16's range.
WEIGHT_SPREAD = 0.02
AUTOENCODER: dict[str, Any] = {
    "block_out_channels": (128, 256, 512, 512),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "layers_per_block": 2,
    "latent_channels": 4,
}
SD15_UNET: dict[str, Any] = {
    "sample_size": 64,
    "block_out_channels": (320, 640, 1280, 1280),
    "down_block_types": (*("CrossAttnDownBlock2D",) * 3, "DownBlock2D"),
    "up_block_types": ("UpBlock2D", *("CrossAttnUpBlock2D",) * 3),
    "layers_per_block": 2,
    "attention_head_dim": 8,
    "cross_attention_dim": 768,
}
SDXL_UNET: dict[str, Any] = {
    "sample_size": 128,
    "block_out_channels": (320, 640, 1280),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "layers_per_block": 2,
    "transformer_layers_per_block": (1, 2, 10),
    "attention_head_dim": (5, 10, 20),
    "cross_attention_dim": 2048,
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}
CLIP_L = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12}
CLIP_BIG_G = {
    "hidden_size": 1280,
    "intermediate_size": 5120,
    "num_hidden_layers": 32,
    "num_attention_heads": 20,
    "projection_dim": 1280,
    "hidden_act": "gelu",
}


def random_module(build: Callable[[], Any], device: torch.device) -> Any:
    """Build a module without its usual slow initialisation and fill it with small random float16 weights."""
    with torch.device("meta"):
        module = build()
    module.half().to_empty(device=device).eval()
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if parameter.ndim > 1:
                parameter.normal_(0.0, WEIGHT_SPREAD)
            else:
                # Of the vectors, normalisations' scales are 1 and biases are 0.
                parameter.fill_(1.0 if "norm" in name and name.endswith("weight") else 0.0)
        for name, buffer in module.named_buffers():
            if name.endswith("position_ids"):
                buffer.copy_(torch.arange(MAX_LENGTH).expand(buffer.shape))
    return module


def build_sd15(device: torch.device) -> Any:
    """Build Stable Diffusion 1.5's architecture."""
    tokenizer = build_tokenizer((), MAX_LENGTH)
    return StableDiffusionPipeline(
        vae=random_module(lambda: AutoencoderKL(sample_size=512, **AUTOENCODER), device),
        text_encoder=random_module(lambda: CLIPTextModel(_text_config(tokenizer, CLIP_L)), device),
        tokenizer=tokenizer,
        unet=random_module(lambda: UNet2DConditionModel(**SD15_UNET), device),
        scheduler=DDIMScheduler(**TINY_SCHEDULER),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def build_sdxl(device: torch.device) -> Any:
    """Build Stable Diffusion XL base's architecture."""
    tokenizer = build_tokenizer((), MAX_LENGTH)
    big_config = _text_config(tokenizer, CLIP_BIG_G)
    vae = random_module(
        lambda: AutoencoderKL(sample_size=1024, scaling_factor=0.13025, force_upcast=True, **AUTOENCODER),
        device,
    )
    scheduler = EulerDiscreteScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        timestep_spacing="leading",
        steps_offset=1,
    )
    # Euler ignores it, but a DDIM made from this configuration would clip without it.
    scheduler.register_to_config(clip_sample=False)
    return StableDiffusionXLPipeline(
        vae=vae,
        text_encoder=random_module(lambda: CLIPTextModel(_text_config(tokenizer, CLIP_L)), device),
        text_encoder_2=random_module(lambda: CLIPTextModelWithProjection(big_config), device),
        tokenizer=tokenizer,
        tokenizer_2=build_tokenizer((), MAX_LENGTH),
        unet=random_module(lambda: UNet2DConditionModel(**SDXL_UNET), device),
        scheduler=scheduler,
        add_watermarker=False,
    )


def _text_config(tokenizer: Any, sizes: dict[str, Any]) -> Any:
    return CLIPTextConfig(
        vocab_size=VOCABULARY_SIZE,
        max_position_embeddings=MAX_LENGTH,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        **sizes,
    )


KINDS = {"sd15": build_sd15, "sdxl": build_sdxl}


def main() -> None:
    """Build and save the pipeline that the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kind", choices=KINDS, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    KINDS[arguments.kind](device).save_pretrained(arguments.out)
    print(arguments.out)


if __name__ == "__main__":
    main()
