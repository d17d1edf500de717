"""Draw held-out scenes with the exported pipeline, plainly and with each acceleration method."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tomesd
import torch
from DeepCache import DeepCacheSDHelper
from diffusers import StableDiffusionPipeline
from PIL import Image, ImageDraw
from tgate import TgateSDLoader
from torch import Tensor

STEPS = 20
GUIDANCE = 4.0
BATCH = 256
VARIANTS: dict[str, dict[str, Any]] = {
    "baseline": {},
    "deepcache-2": {"deepcache": 2},
    "deepcache-3": {"deepcache": 3},
    "deepcache-5": {"deepcache": 5},
    "deepcache-10": {"deepcache": 10},
    "tgate-8": {"tgate": 8},
    "tgate-4": {"tgate": 4},
    "tome-0.3": {"tome": 0.3},
    "tome-0.5": {"tome": 0.5},
    "steps-10": {"steps": 10},
    "steps-5": {"steps": 5},
}
TILE = 192
CAPTION_HEIGHT = 44


def draw(folder: Path, variant: str, captions: list[str], seed: int, device: torch.device) -> Tensor:
    """Return the images (count, 3, 64, 64) in [0, 1], on the CPU, that one variant draws of the captions."""
    settings = VARIANTS[variant]
    dtype = torch.float16 if device.type == "cuda" else torch.float32
    # T-GATE never undoes what it does to a pipeline, so each variant loads its own.
    pipeline = StableDiffusionPipeline.from_pretrained(folder, torch_dtype=dtype).to(device)
    pipeline.set_progress_bar_config(disable=True)
    generator = torch.Generator().manual_seed(seed)
    shape = (len(captions), pipeline.unet.config.in_channels, *[pipeline.unet.config.sample_size] * 2)
    latents = torch.randn(shape, generator=generator).to(device, dtype)
    images = []
    with _accelerated(pipeline, settings) as call:
        for start in range(0, len(captions), BATCH):
            images.append(
                call(
                    prompt=captions[start : start + BATCH],
                    latents=latents[start : start + BATCH],
                    num_inference_steps=settings.get("steps", STEPS),
                    guidance_scale=GUIDANCE,
                    output_type="pt",
                ).images.float()
            )
    # The 8 bits of a saved image.
    return (torch.cat(images).cpu() * 255).round() / 255


@contextmanager
def _accelerated(pipeline: Any, settings: dict[str, Any]) -> Iterator[Callable[..., Any]]:
    if "deepcache" in settings:
        helper = DeepCacheSDHelper(pipe=pipeline)
        helper.set_params(cache_interval=settings["deepcache"], cache_branch_id=0)
        helper.enable()
        yield pipeline
        helper.disable()
    elif "tgate" in settings:
        schedule = {"gate_step": settings["tgate"], "sp_interval": 1, "fi_interval": 1, "warm_up": 0}
        loaded = TgateSDLoader(pipeline, **schedule, num_inference_steps=STEPS)
        yield lambda **arguments: loaded.tgate(**arguments, **schedule)
    elif "tome" in settings:
        tomesd.apply_patch(pipeline, ratio=settings["tome"], max_downsample=1)
        yield pipeline
        tomesd.remove_patch(pipeline)
    else:
        yield pipeline


def write_grid(path: Path, images: Tensor, captions: list[str], columns: int = 4) -> None:
    """Save images as a grid with each caption under its image."""
    rows = -(-len(captions) // columns)
    sheet = Image.new("RGB", (columns * TILE, rows * (TILE + CAPTION_HEIGHT)), "white")
    writer = ImageDraw.Draw(sheet)
    for place, (image, text) in enumerate(zip(images, captions, strict=True)):
        left, top = place % columns * TILE, place // columns * (TILE + CAPTION_HEIGHT)
        pixels = (image.permute(1, 2, 0) * 255).round().byte().numpy()
        sheet.paste(
            Image.fromarray(pixels).resize((TILE - 8, TILE - 8), Image.Resampling.BICUBIC),
            (left + 4, top + 4),
        )
        writer.multiline_text((left + 6, top + TILE), _wrapped(text, 30), fill="black", spacing=1)
    sheet.save(path)


def _wrapped(text: str, width: int) -> str:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) > width:
            lines.append("")
        lines[-1] += f"{word} "
    return "\n".join(lines)
