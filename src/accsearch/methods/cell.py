"""One cell of the grid, as the rules of the methods see it."""

from dataclasses import dataclass
from typing import Literal, get_args

Family = Literal["sd", "sdxl", "pixart", "other"]
"""Pipelines that the methods treat alike; the classes of each are in `config.models`."""
EVERY_FAMILY: frozenset[Family] = frozenset(get_args(Family))

Implementation = Literal["native", "package"]

SECOND_ORDER = frozenset({"HeunDiscrete", "KDPM2Discrete", "KDPM2AncestralDiscrete"})
"""Schedulers that call the denoiser twice a step and so repeat timesteps."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What the rules need to know of one cell of the grid.

    `scheduler` is the name without its suffix, `fewest_steps` the least number of steps that it takes.
    `unet_blocks` is the number of DeepCache branches, 0 without a UNet. `attention_downsample` is the factor by
    which the latents are downsampled where the denoiser's first self-attention reads them.
    """

    family: Family
    scheduler: str
    steps: int
    unet_blocks: int
    has_guidance: bool = True
    implementation: Implementation = "native"
    attention_downsample: int = 1
    dtype: str = "float16"
    fewest_steps: int = 1
