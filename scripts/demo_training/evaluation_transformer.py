"""Judge the exported diffusion transformer on held-out captions, at several scales of its embedded guidance."""

import json
import tempfile
from pathlib import Path
from typing import Any

import torch
from diffusers import FluxPipeline
from torch import Tensor

from accsearch.demo.scenes import HELD_OUT_PAIRS, MAX_LENGTH, SceneSpace
from demo_training.drawing import BATCH, write_grid
from demo_training.evaluation import (
    CHOICES,
    GRID_IMAGES,
    IMAGES_OF_EACH_KIND,
    KINDS,
    Judge,
    choices,
    near_choices,
)
from demo_training.export import write_scorer
from demo_training.models import make_tokenizer
from demo_training.speed import seconds_per_image
from demo_training.stage import Options

GUIDANCES = (1.0, 2.0, 4.0)
GUIDANCE = 2.0
"""The scale that is the pipeline's default: it has the highest scores of these, by scorer and judge."""
CALL = {"num_inference_steps": 20, "height": 64, "width": 64, "max_sequence_length": MAX_LENGTH}
PATCHES, PATCH_WIDTH = 64, 16


def evaluate_transformer(options: Options) -> None:
    """Write evaluation-dit.json and grid-dit.png to the stage's folder."""
    tokenizer = make_tokenizer()
    folder = options.package / "dit" / "pipeline"
    judges = {"scorer": Judge(options.package / "scorer", options.device)}
    if options.load("judge") is not None:
        with tempfile.TemporaryDirectory() as written:
            write_scorer(Path(written), options, "judge", tokenizer)
            judges["judge"] = Judge(Path(written), options.device)
    dtype = torch.float16 if options.device.type == "cuda" else torch.float32
    pipeline = FluxPipeline.from_pretrained(folder, dtype=dtype).to(options.device)
    pipeline.set_progress_bar_config(disable=True)
    torch.manual_seed(options.seed + 2)
    count = options.scaled(IMAGES_OF_EACH_KIND, least=GRID_IMAGES // 2)
    space = SceneSpace(HELD_OUT_PAIRS, tokenizer, torch.device("cpu"))
    rows = {}
    for kind in KINDS:
        scenes = space.sample(count, two=kind == "two_objects")
        rows[kind] = (choices(space, scenes), near_choices(scenes, tokenizer))
    accuracy: dict[str, Any] = {}
    drawn: dict[str, Tensor] = {}
    for guidance in GUIDANCES:
        accuracy[f"{guidance:g}"] = figures = {}
        for kind, (others, near) in rows.items():
            captions = [row[0] for row in others]
            images = draw_transformer(pipeline, captions, options.seed, guidance)
            figures[kind] = {
                name: {
                    f"drawn_of_{CHOICES}": judge.accuracy(images, others),
                    "drawn_of_near_misses": judge.accuracy(images, near),
                    "clip_score": float(100 * (judge.images(images) * judge.texts(captions)).sum(1).mean()),
                }
                for name, judge in judges.items()
            }
            if guidance == GUIDANCE:
                drawn[kind] = images
    prompts = (options.package / "captions.txt").read_text(encoding="utf-8").splitlines()
    report = {
        "images_of_each_kind": count,
        "accuracy_by_guidance": accuracy,
        "seconds_per_image_one_core": seconds_per_image(folder, prompts, **CALL, guidance_scale=GUIDANCE),
    }
    text = json.dumps(report, indent=2) + "\n"
    (options.out / "evaluation-dit.json").write_text(text, encoding="utf-8")
    print(text)
    half = GRID_IMAGES // 2
    write_grid(
        options.out / "grid-dit.png",
        torch.cat([drawn[kind][:half] for kind in KINDS]),
        [row[0] for kind in KINDS for row in rows[kind][0][:half]],
    )


def draw_transformer(pipeline: Any, captions: list[str], seed: int, guidance: float) -> Tensor:
    """Return the images (count, 3, 64, 64) in [0, 1], on the CPU, in the 8 bits of a saved image."""
    generator = torch.Generator().manual_seed(seed)
    latents = torch.randn(len(captions), PATCHES, PATCH_WIDTH, generator=generator)
    latents = latents.to(pipeline.device, pipeline.transformer.dtype)
    images = [
        pipeline(
            prompt=captions[start : start + BATCH],
            latents=latents[start : start + BATCH],
            guidance_scale=guidance,
            output_type="pt",
            **CALL,
        ).images.float()
        for start in range(0, len(captions), BATCH)
    ]
    return (torch.cat(images).cpu() * 255).round() / 255
