"""The embedded demo: two small trained text-to-image pipelines, their scorer and their prompts."""

from collections.abc import Mapping
from pathlib import Path

TINY_SCHEDULER = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "clip_sample": False,
    "set_alpha_to_one": False,
    "steps_offset": 1,
}
"""DDIM settings of Stable Diffusion, at which every scheduler of diffusers can start; of the tiny pipelines."""


def demo_path() -> Path:
    """Return the folder that holds `pipeline/`, `dit/`, `scorer/` and `captions.txt`."""
    return Path(__file__).parent


PIPELINES: Mapping[str, Path] = {
    "builtin:demo": demo_path() / "pipeline",
    "builtin:demo-dit": demo_path() / "dit" / "pipeline",
}
"""Model id → the diffusers folder of a trained pipeline: a `StableDiffusionPipeline`, a `FluxPipeline`."""


def pipeline_path(model_id: str = "builtin:demo") -> Path:
    """Return the diffusers folder of one of `PIPELINES`."""
    return PIPELINES[model_id]


def scorer_path() -> Path:
    """Return the open_clip folder of the demo's scorer, loaded as `local-dir:<path>`."""
    return demo_path() / "scorer"


def captions_path() -> Path:
    """Return the file of the demo's prompts, one a line, none of them seen in training."""
    return demo_path() / "captions.txt"
