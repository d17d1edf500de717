"""Tiny random PixArt and Stable Diffusion 3 pipelines, saved as folders, for tests: transformers, no UNet."""

from pathlib import Path
from typing import Any

import torch

from accsearch.demo.operators import register_torchvision_operators
from accsearch.demo.tiny import MAX_LENGTH, SCHEDULER, TEXT_WIDTH, WORDS, text_config
from accsearch.demo.vocabulary import build_tokenizer

T5_WIDTH = 2 * TEXT_WIDTH
LATENT_SIZE = 32
"""The smallest for which PixArt has a table of image sizes."""


def build_tiny_pixart(path: Path, seed: int = 0) -> Path:
    """Save a random 256 px `PixArtSigmaPipeline`, whose text encoder is a T5."""
    register_torchvision_operators()
    from diffusers import DDIMScheduler, PixArtSigmaPipeline, PixArtTransformer2DModel

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        tokenizer, text_encoder = _t5()
        transformer = PixArtTransformer2DModel(
            sample_size=LATENT_SIZE,
            num_layers=2,
            num_attention_heads=2,
            attention_head_dim=8,
            cross_attention_dim=16,
            caption_channels=T5_WIDTH,
            use_additional_conditions=False,
        )
        pipeline = PixArtSigmaPipeline(
            tokenizer=tokenizer,
            text_encoder=text_encoder,
            vae=_autoencoder(latent_channels=4),
            transformer=_amplified(transformer),
            scheduler=DDIMScheduler(**SCHEDULER),
        )
    pipeline.save_pretrained(path)
    return path


def build_tiny_sd3(path: Path, seed: int = 0) -> Path:
    """Save a random 256 px `StableDiffusion3Pipeline` with its three text encoders, two CLIPs and a T5."""
    register_torchvision_operators()
    from diffusers import FlowMatchEulerDiscreteScheduler, SD3Transformer2DModel, StableDiffusion3Pipeline
    from transformers import CLIPTextModelWithProjection

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        tokenizers = [build_tokenizer(WORDS, MAX_LENGTH) for _ in range(2)]
        encoders = [CLIPTextModelWithProjection(text_config(tokenizer)) for tokenizer in tokenizers]
        tokenizer_3, text_encoder_3 = _t5()
        transformer = SD3Transformer2DModel(
            sample_size=LATENT_SIZE,
            num_layers=2,
            num_attention_heads=2,
            attention_head_dim=8,
            caption_projection_dim=16,
            joint_attention_dim=T5_WIDTH,
            pooled_projection_dim=2 * TEXT_WIDTH,
            pos_embed_max_size=LATENT_SIZE,
        )
        pipeline = StableDiffusion3Pipeline(
            transformer=_amplified(transformer),
            scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
            vae=_autoencoder(latent_channels=16, shift_factor=0.06),
            text_encoder=encoders[0],
            tokenizer=tokenizers[0],
            text_encoder_2=encoders[1],
            tokenizer_2=tokenizers[1],
            text_encoder_3=text_encoder_3,
            tokenizer_3=tokenizer_3,
        )
    pipeline.save_pretrained(path)
    return path


def _t5() -> tuple[Any, Any]:
    """Return a tokenizer, each of the words one token, and an encoder."""
    from transformers import T5Config, T5EncoderModel, T5Tokenizer

    words = ["<pad>", "</s>", "<unk>", *(f"▁{word}" for word in WORDS)]
    tokenizer = T5Tokenizer(vocab=[(word, -1.0) for word in words], extra_ids=0, model_max_length=MAX_LENGTH)
    config = T5Config(
        vocab_size=len(tokenizer), d_model=T5_WIDTH, d_kv=8, d_ff=T5_WIDTH, num_layers=1, num_heads=2
    )
    return tokenizer, T5EncoderModel(config)


def _autoencoder(**settings: Any) -> Any:
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        sample_size=8 * LATENT_SIZE,
        block_out_channels=(4,) * 4,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        norm_num_groups=2,
        **settings,
    )


def _amplified(transformer: Any) -> Any:
    """Give the last layer the size at which its output shows in 8-bit images."""
    with torch.no_grad():
        transformer.proj_out.weight.mul_(4.0)
    return transformer
