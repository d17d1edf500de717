"""The embedded demo: a small trained text-to-image pipeline, its scorer and its prompts."""

from pathlib import Path


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
