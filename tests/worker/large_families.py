"""Tiny random pipelines of the families that have no built-in one: FLUX.2, Z-Image, Chroma and AuraFlow."""

from collections.abc import Callable, Mapping
from typing import Any

import torch

from accsearch.demo.tiny import WORDS
from accsearch.demo.vocabulary import build_tokenizer

WIDTH = 16
"""Width of the text encoders."""
SIDE = 32
"""Side in pixels of the images that the tests draw."""
TEMPLATE = (
    "{% for m in messages %}{{ m['role'] }} {% if m['content'] is string %}{{ m['content'] }}{% else %}"
    "{% for part in m['content'] %}{{ part['text'] }}{% endfor %}{% endif %}\n{% endfor %}"
)


def flux2() -> Any:
    """Return a `Flux2Pipeline`, whose prompts are states of the layers 10, 20 and 30 of a Mistral."""
    from diffusers import (
        AutoencoderKLFlux2,
        FlowMatchEulerDiscreteScheduler,
        Flux2Pipeline,
        Flux2Transformer2DModel,
    )
    from transformers import (
        Mistral3Config,
        Mistral3ForConditionalGeneration,
        PixtralImageProcessor,
        PixtralProcessor,
    )

    tokenizer = _bytes()
    tokenizer.add_tokens(["[IMG]", "[IMG_BREAK]", "[IMG_END]"], special_tokens=True)
    text = {**_decoder(tokenizer), "model_type": "mistral", "num_hidden_layers": 30}
    vision = {
        "model_type": "pixtral",
        "hidden_size": WIDTH,
        "intermediate_size": WIDTH,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 32,
        "patch_size": 16,
    }
    config = Mistral3Config(
        text_config=text, vision_config=vision, image_token_index=tokenizer.convert_tokens_to_ids("[IMG]")
    )
    transformer = Flux2Transformer2DModel(
        in_channels=16,
        num_layers=2,
        num_single_layers=2,
        num_attention_heads=2,
        attention_head_dim=16,
        joint_attention_dim=3 * WIDTH,
        timestep_guidance_channels=16,
        axes_dims_rope=(4, 4, 4, 4),
    )
    return Flux2Pipeline(
        transformer=_amplified(transformer, transformer.proj_out),
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        vae=AutoencoderKLFlux2(**_AUTOENCODER, latent_channels=4),
        text_encoder=Mistral3ForConditionalGeneration(config),
        tokenizer=PixtralProcessor(PixtralImageProcessor(), tokenizer, chat_template=TEMPLATE),
    )


def zimage() -> Any:
    """Return a `ZImagePipeline`, whose denoiser takes lists of images and of prompts of their own lengths."""
    from diffusers import (
        AutoencoderKL,
        FlowMatchEulerDiscreteScheduler,
        ZImagePipeline,
        ZImageTransformer2DModel,
    )
    from transformers import Qwen3Config, Qwen3Model

    tokenizer = _bytes()
    transformer = ZImageTransformer2DModel(
        in_channels=4,
        dim=32,
        n_layers=3,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
        cap_feat_dim=WIDTH,
        axes_dims=[4, 6, 6],
        axes_lens=[1024, 64, 64],
    )
    for pad in (transformer.x_pad_token, transformer.cap_pad_token):
        torch.nn.init.normal_(pad)
    return ZImagePipeline(
        transformer=_amplified(transformer, transformer.all_final_layer["2-1"].linear),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=AutoencoderKL(**_AUTOENCODER, latent_channels=4, shift_factor=0.1),
        text_encoder=Qwen3Model(Qwen3Config(**_decoder(tokenizer), num_hidden_layers=2)),
        tokenizer=tokenizer,
    )


def chroma() -> Any:
    """Return a `ChromaPipeline`, which guides by two calls a step and masks its prompts' padding."""
    from diffusers import (
        AutoencoderKL,
        ChromaPipeline,
        ChromaTransformer2DModel,
        FlowMatchEulerDiscreteScheduler,
    )
    from transformers import T5Config, T5EncoderModel

    tokenizer = _bytes()
    transformer = ChromaTransformer2DModel(
        in_channels=16,
        num_layers=2,
        num_single_layers=2,
        num_attention_heads=2,
        attention_head_dim=16,
        joint_attention_dim=WIDTH,
        axes_dims_rope=(4, 6, 6),
        approximator_num_channels=16,
        approximator_hidden_dim=16,
        approximator_layers=1,
    )
    config = T5Config(vocab_size=len(tokenizer), d_model=WIDTH, d_kv=8, d_ff=WIDTH, num_layers=1, num_heads=2)
    return ChromaPipeline(
        transformer=_amplified(transformer, transformer.proj_out),
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        vae=AutoencoderKL(**_AUTOENCODER, latent_channels=4, shift_factor=0.1),
        text_encoder=T5EncoderModel(config),
        tokenizer=tokenizer,
    )


def auraflow() -> Any:
    """Return an `AuraFlowPipeline`, which guides by joined halves."""
    from diffusers import (
        AuraFlowPipeline,
        AuraFlowTransformer2DModel,
        AutoencoderKL,
        FlowMatchEulerDiscreteScheduler,
    )
    from transformers import UMT5Config, UMT5EncoderModel

    tokenizer = _bytes()
    transformer = AuraFlowTransformer2DModel(
        sample_size=16,
        num_mmdit_layers=2,
        num_single_dit_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        caption_projection_dim=32,
        pos_embed_max_size=256,
    )
    config = UMT5Config(
        vocab_size=len(tokenizer), d_model=WIDTH, d_kv=8, d_ff=WIDTH, num_layers=1, num_heads=2
    )
    return AuraFlowPipeline(
        transformer=_amplified(transformer, transformer.proj_out),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=1.73),
        vae=AutoencoderKL(**_AUTOENCODER, latent_channels=4),
        text_encoder=UMT5EncoderModel(config),
        tokenizer=tokenizer,
    )


LARGE: Mapping[str, Callable[[], Any]] = {
    "flux2": flux2,
    "zimage": zimage,
    "chroma": chroma,
    "auraflow": auraflow,
}
"""Family → what builds its pipeline, all weights random."""


def build(family: str) -> Any:
    """Return the pipeline of a family, always with the same weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        pipeline = LARGE[family]()
    for part in pipeline.components.values():
        if isinstance(part, torch.nn.Module):
            part.eval()
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


_AUTOENCODER: Mapping[str, Any] = {
    "sample_size": SIDE,
    "block_out_channels": (4, 4),
    "down_block_types": ("DownEncoderBlock2D",) * 2,
    "up_block_types": ("UpDecoderBlock2D",) * 2,
    "norm_num_groups": 2,
}


def _bytes() -> Any:
    """Return a tokenizer that pads on the right and has a template for conversations."""
    tokenizer = build_tokenizer(WORDS, 512)
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def _decoder(tokenizer: Any) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": WIDTH,
        "intermediate_size": WIDTH,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 8,
        "max_position_embeddings": 1024,
    }


def _amplified(transformer: Any, last: torch.nn.Linear) -> Any:
    """Give the last layer and the text's first the sizes at which prompts and skipped steps show in images."""
    with torch.no_grad():
        if hasattr(transformer, "context_embedder"):
            transformer.context_embedder.weight.mul_(16.0)
        last.weight.mul_(4.0)
    return transformer
