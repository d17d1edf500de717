"""Tiny random pipelines whose denoiser is a transformer, saved as folders, for tests."""

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


def build_tiny_flux(path: Path, seed: int = 0) -> Path:
    """Save a random `FluxPipeline` with embedded guidance: two blocks of each kind, images of any multiple of 4 px."""
    register_torchvision_operators()
    from diffusers import FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel
    from transformers import CLIPTextModel

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        tokenizer = build_tokenizer(WORDS, MAX_LENGTH)
        tokenizer_2, text_encoder_2 = _t5()
        transformer = FluxTransformer2DModel(
            in_channels=16,
            num_layers=2,
            num_single_layers=2,
            num_attention_heads=2,
            attention_head_dim=16,
            axes_dims_rope=(4, 6, 6),
            joint_attention_dim=T5_WIDTH,
            pooled_projection_dim=TEXT_WIDTH,
            guidance_embeds=True,
        )
        pipeline = FluxPipeline(
            transformer=_amplified(transformer),
            scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
            vae=_autoencoder(levels=2, latent_channels=4, shift_factor=0.1),
            text_encoder=CLIPTextModel(text_config(tokenizer)),
            tokenizer=tokenizer,
            text_encoder_2=text_encoder_2,
            tokenizer_2=tokenizer_2,
        )
    pipeline.save_pretrained(path)
    return path


def build_tiny_sana(path: Path, seed: int = 0) -> Path:
    """Save a random `SanaPipeline` with linear attention, an `AutoencoderDC` and flow matching by DPM-Solver."""
    register_torchvision_operators()
    from diffusers import AutoencoderDC, DPMSolverMultistepScheduler, SanaPipeline, SanaTransformer2DModel
    from transformers import Gemma2Config, Gemma2Model

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        tokenizer, _ = _t5()
        text = Gemma2Config(
            vocab_size=len(tokenizer),
            hidden_size=T5_WIDTH,
            intermediate_size=T5_WIDTH,
            num_hidden_layers=1,
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=8,
            max_position_embeddings=1024,
            pad_token_id=0,
            bos_token_id=1,
            eos_token_id=1,
        )
        vae = AutoencoderDC(
            latent_channels=4,
            attention_head_dim=4,
            encoder_block_out_channels=(8, 8),
            decoder_block_out_channels=(8, 8),
            encoder_layers_per_block=(1, 1),
            decoder_layers_per_block=(1, 1),
            encoder_qkv_multiscales=((), ()),
            decoder_qkv_multiscales=((), ()),
        )
        transformer = SanaTransformer2DModel(
            in_channels=4,
            out_channels=4,
            num_layers=2,
            num_attention_heads=2,
            attention_head_dim=8,
            num_cross_attention_heads=2,
            cross_attention_head_dim=8,
            cross_attention_dim=16,
            caption_channels=T5_WIDTH,
            sample_size=LATENT_SIZE,
        )
        pipeline = SanaPipeline(
            tokenizer=tokenizer,
            text_encoder=Gemma2Model(text),
            vae=vae,
            transformer=_amplified(transformer),
            scheduler=DPMSolverMultistepScheduler(
                prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
            ),
        )
    pipeline.save_pretrained(path)
    return path


def build_tiny_qwen(path: Path, seed: int = 0) -> Path:
    """Save a random `QwenImagePipeline`, which guides by two calls of its transformer a step."""
    register_torchvision_operators()
    from diffusers import (
        AutoencoderKLQwenImage,
        FlowMatchEulerDiscreteScheduler,
        QwenImagePipeline,
        QwenImageTransformer2DModel,
    )
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        # The template round each prompt has 34 tokens in the real vocabulary; here its words are spelt in bytes.
        tokenizer = build_tokenizer(WORDS, 1024)
        text = {
            "vocab_size": len(tokenizer),
            "hidden_size": T5_WIDTH,
            "intermediate_size": T5_WIDTH,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "rope_parameters": {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 10_000.0},
        }
        vision = {
            "depth": 1,
            "hidden_size": T5_WIDTH,
            "intermediate_size": T5_WIDTH,
            "num_heads": 2,
            "out_hidden_size": T5_WIDTH,
        }
        config = Qwen2_5_VLConfig(text_config=text, vision_config=vision)
        transformer = QwenImageTransformer2DModel(
            in_channels=16,
            out_channels=4,
            num_layers=2,
            num_attention_heads=2,
            attention_head_dim=16,
            joint_attention_dim=T5_WIDTH,
            axes_dims_rope=(4, 6, 6),
        )
        vae = AutoencoderKLQwenImage(
            base_dim=4,
            z_dim=4,
            dim_mult=[1, 1],
            num_res_blocks=1,
            temperal_downsample=[False],
            latents_mean=[0.0] * 4,
            latents_std=[1.0] * 4,
        )
        pipeline = QwenImagePipeline(
            transformer=_amplified(transformer),
            scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
            vae=vae,
            text_encoder=Qwen2_5_VLForConditionalGeneration(config),
            tokenizer=tokenizer,
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


def _autoencoder(levels: int = 4, **settings: Any) -> Any:
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        sample_size=LATENT_SIZE << (levels - 1),
        block_out_channels=(4,) * levels,
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        norm_num_groups=2,
        **settings,
    )


def _amplified(transformer: Any) -> Any:
    """Give the last layer the size at which its output shows in 8-bit images."""
    with torch.no_grad():
        transformer.proj_out.weight.mul_(4.0)
    return transformer
