"""The embedded demo: a small trained text-to-image pipeline, its scorer and its prompts."""

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
    """Return the folder that holds `pipeline/`, `scorer/` and `captions.txt`."""
    return Path(__file__).parent


def pipeline_path() -> Path:
    """Return the diffusers folder of the demo's `StableDiffusionPipeline`."""
    return demo_path() / "pipeline"


def scorer_path() -> Path:
    """Return the open_clip folder of the demo's scorer, loaded as `local-dir:<path>`."""
    return demo_path() / "scorer"


def captions_path() -> Path:
    """Return the file of the demo's prompts, one a line, none of them seen in training."""
    return demo_path() / "captions.txt"
