"""The noise that images start from, in the shape that each class of pipelines takes it."""

from typing import Any

import torch

PACKED = frozenset({"FluxPipeline", "ChromaPipeline", "QwenImagePipeline"})
"""Pipelines whose latents are packed: squares of two by two are one token of four times the channels."""


def starting_noise(pipeline: Any, seeds: range, height: int, width: int) -> torch.Tensor:
    """Return the float32 noise of one image a seed for images of `height` by `width` pixels, made on the CPU.

    It is the same on every device, and that of an image does not depend on how many there are. Shape: (seeds,
    channels, rows, columns), or (seeds, tokens, channels) where latents are packed.
    """
    name, scale = type(pipeline).__name__, pipeline.vae_scale_factor
    denoiser = getattr(pipeline, "unet", None) or pipeline.transformer
    channels, rows, columns = denoiser.config.in_channels, height // scale, width // scale
    if name in PACKED:
        channels, rows, columns = channels // 4, rows // 2 * 2, columns // 2 * 2
    elif name == "ZImagePipeline":
        rows, columns = rows // 2 * 2, columns // 2 * 2
    elif name == "Flux2Pipeline":
        # Its latents come as squares already, and are laid out as tokens by the pipeline.
        rows, columns = rows // 2, columns // 2
    shape = (1, channels, rows, columns)
    noise = torch.cat([torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds])
    if name in PACKED:
        packed: torch.Tensor = pipeline._pack_latents(noise, len(noise), channels, rows, columns)
        return packed
    return noise


def default_size(pipeline: Any, otherwise: int) -> tuple[int, int]:
    """Return the height and width in pixels that the denoiser was made for; `otherwise` where it does not say."""
    denoiser = getattr(pipeline, "unet", None) or pipeline.transformer
    size = denoiser.config.get("sample_size")
    if size is None or type(pipeline).__name__ in PACKED:
        return otherwise, otherwise
    rows, columns = (size, size) if isinstance(size, int) else size
    return rows * pipeline.vae_scale_factor, columns * pipeline.vae_scale_factor
