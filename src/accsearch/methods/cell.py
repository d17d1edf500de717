"""One cell of the grid, as the rules of the methods see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Family = Literal[
    "sd", "sdxl", "pixart", "flux", "flux2", "sd3", "sana", "qwen", "zimage", "chroma", "auraflow", "other"
]
"""Pipelines that the methods treat alike; the classes of each are in `config.models`."""
EVERY_FAMILY: frozenset[Family] = frozenset(get_args(Family))

BLOCK_CACHED: frozenset[Family] = frozenset({"flux", "sd3", "pixart", "sana", "qwen"})
"""Families on whose blocks all caches of diffusers act, where they are put on as accsearch does it."""
ATTENTION_CACHED: frozenset[Family] = BLOCK_CACHED | {"flux2", "zimage", "chroma", "auraflow"}
"""Families on which those act that need no more than to find the layers of attention."""
BLOCKS_UNKNOWN: Mapping[Family, str] = {
    "sd": "caches of blocks need a transformer: in a UNet they find no row of blocks (deepcache, step_cache)",
    "sdxl": "caches of blocks need a transformer: in a UNet they find no row of blocks (deepcache, step_cache)",
    "other": "the caches of diffusers were not tried on this class of pipelines (step_cache)",
}
"""Why the caches of blocks are refused elsewhere, and what does the like there."""
AURAFLOW_UNKNOWN: Mapping[Family, str] = {
    "auraflow": "diffusers lacks AuraFlow in its table of blocks (taylorseer, step_cache)",
}
"""Why the caches that skip blocks by that table are refused on AuraFlow."""

Guidance = Literal["joined", "separate", "embedded"]
"""How a pipeline guides: both halves in one batch, two calls of the denoiser a step, or by an input of a denoiser
that was distilled to take the scale and has no unconditional half."""
GUIDANCE: Mapping[Family, Guidance] = {
    "flux": "embedded",
    "flux2": "embedded",
    "qwen": "separate",
    "chroma": "separate",
}
"""Family → how it guides unless by joined halves."""
GUIDED_ABOVE: Mapping[Family, float] = {"zimage": 0.0}
"""Family → guidance scale above which its pipelines make an unconditional half, unless 1."""

Implementation = Literal["native", "package"]

SECOND_ORDER = frozenset({"HeunDiscrete", "KDPM2Discrete", "KDPM2AncestralDiscrete"})
"""Schedulers that call the denoiser twice a step and so repeat timesteps."""


def guided(family: Family, scale: float) -> bool:
    """Say whether the pipelines of `family` make an unconditional half at this guidance scale."""
    return GUIDANCE.get(family) != "embedded" and scale > GUIDED_ABOVE.get(family, 1.0)


@dataclass(frozen=True, slots=True)
class Cell:
    """What the rules need to know of one cell of the grid.

    `scheduler` is the name without its suffix, `fewest_steps` the least number of steps that it takes.
    `unet_blocks` is the number of DeepCache branches, 0 without a UNet. `attention_downsample` is the factor by
    which the latents are downsampled where the denoiser's first self-attention reads them. `has_guidance` says
    whether there is an unconditional half.
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

    @property
    def guidance(self) -> Guidance:
        """How the family guides."""
        return GUIDANCE.get(self.family, "joined")
