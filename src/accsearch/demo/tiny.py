"""Tiny random SD and SDXL pipelines and an open_clip scorer, saved as folders, for tests.

They have the real architectures' shape (levels, attention, conditioning) at very small widths, so that
DeepCache, T-GATE and ToMe all have something to act on; what they draw means nothing.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from accsearch.demo import TINY_SCHEDULER
from accsearch.demo.operators import register_torchvision_operators
from accsearch.demo.vocabulary import build_tokenizer

WORDS = ("a", "the", "of", "on", "and", "photo", "red", "green", "blue", "cat", "dog", "house", "tree")
MAX_LENGTH = 32
IMAGE_SIZE = 32
TEXT_WIDTH = 16
SCHEDULER = TINY_SCHEDULER


def build_tiny_sd(path: Path, seed: int = 0) -> Path:
    """Save a random 32 px `StableDiffusionPipeline` whose three UNet levels all have attention."""
    register_torchvision_operators()
    from diffusers import DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import CLIPTextModel

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        tokenizer = build_tokenizer(WORDS, MAX_LENGTH)
        unet = UNet2DConditionModel(
            sample_size=IMAGE_SIZE // 2,
            block_out_channels=(8, 16, 16),
            down_block_types=("CrossAttnDownBlock2D",) * 3,
            up_block_types=("CrossAttnUpBlock2D",) * 3,
            layers_per_block=2,
            attention_head_dim=2,
            cross_attention_dim=TEXT_WIDTH,
            norm_num_groups=4,
        )
        pipeline = StableDiffusionPipeline(
            vae=_autoencoder(),
            text_encoder=CLIPTextModel(text_config(tokenizer)),
            tokenizer=tokenizer,
            unet=_amplified(unet),
            scheduler=DDIMScheduler(**SCHEDULER),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    pipeline.save_pretrained(path)
    return path


def build_tiny_sdxl(path: Path, seed: int = 0) -> Path:
    """Save a random 32 px `StableDiffusionXLPipeline`: like the real one, no attention at the top level."""
    register_torchvision_operators()
    from diffusers import DDIMScheduler, StableDiffusionXLPipeline, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTextModelWithProjection

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        tokenizer = build_tokenizer(WORDS, MAX_LENGTH)
        time_width = 8
        unet = UNet2DConditionModel(
            sample_size=IMAGE_SIZE // 2,
            block_out_channels=(8, 16, 16),
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            layers_per_block=2,
            transformer_layers_per_block=(1, 1, 2),
            attention_head_dim=(2, 4, 4),
            cross_attention_dim=2 * TEXT_WIDTH,
            norm_num_groups=4,
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=time_width,
            projection_class_embeddings_input_dim=6 * time_width + TEXT_WIDTH,
        )
        pipeline = StableDiffusionXLPipeline(
            vae=_autoencoder(),
            text_encoder=CLIPTextModel(text_config(tokenizer)),
            text_encoder_2=CLIPTextModelWithProjection(text_config(tokenizer)),
            tokenizer=tokenizer,
            tokenizer_2=build_tokenizer(WORDS, MAX_LENGTH),
            unet=_amplified(unet),
            scheduler=DDIMScheduler(**SCHEDULER),
            add_watermarker=False,
        )
    pipeline.save_pretrained(path)
    return path


def build_tiny_scorer(path: Path, seed: int = 0) -> Path:
    """Save a random open_clip model, to be loaded as `local-dir:<path>`."""
    register_torchvision_operators()
    import open_clip

    tokenizer = build_tokenizer(WORDS, MAX_LENGTH)
    architecture = {
        "embed_dim": 16,
        "vision_cfg": {"image_size": IMAGE_SIZE, "patch_size": 8, "width": 32, "layers": 2, "head_width": 16},
        "text_cfg": {
            "context_length": MAX_LENGTH,
            "vocab_size": len(tokenizer),
            "width": 32,
            "heads": 2,
            "layers": 2,
            "hf_tokenizer_name": "tokenizer",
        },
    }
    path.mkdir(parents=True, exist_ok=True)
    tokenizer.save_pretrained(path)
    config = {"model_cfg": architecture, "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.5] * 3}}
    (path / "open_clip_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = open_clip.CLIP(**architecture)
    save_file(model.state_dict(), path / "open_clip_model.safetensors")
    return path


def _autoencoder() -> Any:
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        sample_size=IMAGE_SIZE,
        block_out_channels=(8, 8),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=4,
        norm_num_groups=4,
    )


def text_config(tokenizer: Any) -> Any:
    from transformers import CLIPTextConfig

    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=TEXT_WIDTH,
        intermediate_size=2 * TEXT_WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=MAX_LENGTH,
        projection_dim=TEXT_WIDTH,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def _amplified(unet: Any) -> Any:
    """Scale the last layer so that the prompt and the skipped steps show in 8-bit images."""
    with torch.no_grad():
        unet.conv_out.weight.mul_(4.0)
    return unet
