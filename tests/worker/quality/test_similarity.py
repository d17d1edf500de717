"""Similarity against independent computations."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from accsearch.worker.images import Images
from accsearch.worker.quality.similarity import similarity


def pair(size: int = 32, count: int = 3) -> tuple[Images, Images]:
    source = torch.Generator().manual_seed(1)
    reference = torch.randint(0, 256, (count, 3, size, size), generator=source)
    noise = torch.randint(-20, 21, reference.shape, generator=source)
    changed = (reference + noise).clamp(0, 255)
    return Images(changed.to(torch.uint8)), Images(reference.to(torch.uint8))


def ssim_of(one: np.ndarray, other: np.ndarray) -> float:
    """SSIM of one channel (Wang et al. 2004): Gaussian window of 11 pixels, sigma 1.5, borders left out."""

    def blur(values: np.ndarray) -> np.ndarray:
        return gaussian_filter(values, 1.5, truncate=5 / 1.5)

    first, second = blur(one), blur(other)
    variance_one, variance_other = blur(one * one) - first**2, blur(other * other) - second**2
    covariance = blur(one * other) - first * second
    c1, c2 = 0.01**2, 0.03**2
    numerator = (2 * first * second + c1) * (2 * covariance + c2)
    values = numerator / ((first**2 + second**2 + c1) * (variance_one + variance_other + c2))
    return float(values[5:-5, 5:-5].mean())


def test_psnr_is_that_of_the_mean_squared_error() -> None:
    images, reference = pair()
    difference = images.pixels.double().numpy() - reference.pixels.double().numpy()

    measured = similarity(images, reference)

    assert measured.psnr == pytest.approx(10 * np.log10(255**2 / np.mean(difference**2)), rel=1e-5)


def test_ssim_matches_its_definition() -> None:
    images, reference = pair()
    expected = np.mean(
        [
            ssim_of(one, other)
            for ours, theirs in zip(images.pixels.numpy() / 255, reference.pixels.numpy() / 255, strict=True)
            for one, other in zip(ours, theirs, strict=True)
        ]
    )

    assert similarity(images, reference).ssim == pytest.approx(expected, rel=1e-3)


def test_identical_images_have_no_psnr() -> None:
    images, _ = pair()

    measured = similarity(images, images)

    assert measured.psnr is None
    assert measured.ssim == pytest.approx(1)


WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def ms_ssim_of(one: np.ndarray, other: np.ndarray) -> float:
    """MS-SSIM of (channels, height, width) by Wang, Simoncelli and Bovik 2003, equation 7, channels averaged."""

    def blur(values: np.ndarray) -> np.ndarray:
        whole = np.stack([gaussian_filter(channel, 1.5, truncate=5 / 1.5) for channel in values])
        return whole[:, 5:-5, 5:-5]

    def halve(values: np.ndarray) -> np.ndarray:
        channels, height, width = values.shape
        return values.reshape(channels, height // 2, 2, width // 2, 2).mean(axis=(2, 4))

    product = 1.0
    for scale, weight in enumerate(WEIGHTS):
        first, second = blur(one), blur(other)
        variance_one, variance_other = blur(one * one) - first**2, blur(other * other) - second**2
        covariance = blur(one * other) - first * second
        structure = (2 * covariance + 0.03**2) / (variance_one + variance_other + 0.03**2)
        luminance = (2 * first * second + 0.01**2) / (first**2 + second**2 + 0.01**2)
        is_last = scale == len(WEIGHTS) - 1
        product *= float((luminance * structure if is_last else structure).mean()) ** weight
        if not is_last:
            one, other = halve(one), halve(other)
    return product


def test_ms_ssim_matches_its_definition() -> None:
    images, reference = pair(208, 2)
    expected = np.mean(
        [
            ms_ssim_of(ours, theirs)
            for ours, theirs in zip(images.pixels.numpy() / 255, reference.pixels.numpy() / 255, strict=True)
        ]
    )

    assert similarity(images, reference).ms_ssim == pytest.approx(expected, rel=1e-3)


def test_ms_ssim_needs_room_for_five_scales() -> None:
    assert similarity(*pair(160, 1)).ms_ssim is None
    large = similarity(*pair(176, 1)).ms_ssim
    assert large is not None
    assert 0 < large < 1
