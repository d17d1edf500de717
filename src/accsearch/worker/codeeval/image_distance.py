"""How near two RGB pictures of one size are to each other."""

import math
from collections.abc import Sequence
from typing import Any

import torch

COARSE = 16
"""Width and height in which pictures are compared where noise of single pixels must not count."""


def pixels(picture: Any) -> torch.Tensor:
    """Return the values of a picture, 0 to 255, as a flat vector."""
    return torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8).float()


def coarse(picture: Any, areas: int = COARSE) -> torch.Tensor:
    """Return the means of a picture's areas, 0 to 255, as a flat vector; `areas` is their number each way."""
    values = pixels(picture).view(1, picture.height, picture.width, 3).permute(0, 3, 1, 2)
    return torch.nn.functional.adaptive_avg_pool2d(values, areas).flatten()


def distance(first: torch.Tensor, second: torch.Tensor) -> float:
    """Return the root of the mean squared difference."""
    return float((first - second).square().mean().sqrt())


def psnr(first: Any, second: Any) -> float:
    """Return the PSNR of two pictures in dB, infinite if they are equal."""
    error = distance(pixels(first), pixels(second))
    return math.inf if error == 0 else 20 * math.log10(255 / error)


def distances(pictures: Sequence[Any]) -> torch.Tensor:
    """Return the distances of all pairs of pictures in areas, (n, n)."""
    stacked = torch.stack([coarse(each) for each in pictures])
    # The quick way through a matrix product is not exact enough to tell equal pictures.
    between: torch.Tensor = torch.cdist(stacked, stacked, compute_mode="donot_use_mm_for_euclid_dist")
    return between.div(stacked.shape[1] ** 0.5)
