"""How near a trial's images are to the baseline's of the same seed."""

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


def similarity(images: Images, reference: Images) -> Similarity:
    """Compare images of 8 bits with the reference's, both (images, 3, height, width)."""
    from torchmetrics.functional.image import (
        multiscale_structural_similarity_index_measure,
        peak_signal_noise_ratio,
        structural_similarity_index_measure,
    )

    psnr = None
    if not images.same_as(reference):
        value = peak_signal_noise_ratio(images.pixels.float(), reference.pixels.float(), data_range=255.0)
        psnr = float(value)
    ssim, ms_ssim = [], []
    large = min(images.pixels.shape[-2:]) >= MS_SSIM_SIZE
    for start in range(0, len(images.pixels), CHUNK):
        ours = _unit(images.pixels[start : start + CHUNK])
        theirs = _unit(reference.pixels[start : start + CHUNK])
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


def _unit(pixels: torch.Tensor) -> torch.Tensor:
    return pixels.float() / 255
