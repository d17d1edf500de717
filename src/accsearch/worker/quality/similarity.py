"""How near a trial's images are to the baseline's of the same seed."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from accsearch.worker.images import Images

MS_SSIM_SIZE = 161
"""Fewest pixels a side for five scales with a window of 11 (Wang, Simoncelli, Bovik 2003)."""
CHUNK = 8


@dataclass(frozen=True)
class Similarity:
    """Means over all images: PSNR in decibel (None where every pixel is equal), SSIM and MS-SSIM up to 1.

    PSNR is that of the mean squared error over all images, so that single identical ones leave it finite.
    MS-SSIM is None for images too small for its five scales.
    """

    psnr: float | None
    ssim: float
    ms_ssim: float | None


def similarity(images: Images, reference: Images, device: torch.device | str = "cpu") -> Similarity:
    """Compare images of 8 bits with the reference's, both (images, 3, height, width), on `device`."""
    from torchmetrics.functional.image import (
        multiscale_structural_similarity_index_measure,
        structural_similarity_index_measure,
    )

    psnr = None
    if not images.same_as(reference):
        # Exact in float64: no sum of squares of 8 bits is rounded.
        off = sum(
            float((ours.double() - theirs.double()).square().sum())
            for ours, theirs in _chunks(images, reference, device)
        )
        psnr = 10 * math.log10(255.0**2 * images.pixels.numel() / off)
    ssim, ms_ssim = [], []
    large = min(images.pixels.shape[-2:]) >= MS_SSIM_SIZE
    for pixels, other in _chunks(images, reference, device):
        ours, theirs = pixels.float() / 255, other.float() / 255
        measured = structural_similarity_index_measure(ours, theirs, data_range=1.0, reduction="none")
        ssim.append(measured.reshape(-1))
        if large:
            scales = multiscale_structural_similarity_index_measure(
                ours, theirs, data_range=1.0, reduction="none"
            )
            ms_ssim.append(scales.reshape(-1))
    return Similarity(
        psnr=psnr,
        ssim=float(torch.cat(ssim).mean()),
        ms_ssim=float(torch.cat(ms_ssim).mean()) if ms_ssim else None,
    )


def _chunks(
    images: Images, reference: Images, device: torch.device | str
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield the pixels of both, a few images at a time, on `device`."""
    for start in range(0, len(images.pixels), CHUNK):
        ours, theirs = (each.pixels[start : start + CHUNK].to(device) for each in (images, reference))
        yield ours, theirs
