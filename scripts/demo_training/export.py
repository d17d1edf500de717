"""Stage 4: write the trained weights as the folders that ship in the package."""

import json
import random
from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import save_file

from accsearch.demo.scenes import ALL_PAIRS, HELD_OUT_PAIRS, SceneSpace, caption
from demo_training.denoiser import latent_scale
from demo_training.models import (
    TextEncoder,
    as_clip_text_model,
    build_autoencoder,
    build_noise_schedule,
    build_scorer,
    build_unet,
    make_tokenizer,
    resumed,
    scorer_architecture,
)
from demo_training.stage import Options

CAPTIONS_OF_EACH_KIND = 160


def export(options: Options) -> None:
    """Save the pipeline, the scorer and the held-out captions under the package folder, in float16."""
    tokenizer = make_tokenizer()
    autoencoder = resumed(build_autoencoder(), options.require("vae")).eval()
    autoencoder.register_to_config(scaling_factor=latent_scale(autoencoder, options.seed))
    encoder = resumed(TextEncoder(build_scorer(len(tokenizer))), options.require("text"))
    pipeline = StableDiffusionPipeline(
        vae=autoencoder.half(),
        text_encoder=as_clip_text_model(encoder, tokenizer).half(),
        tokenizer=tokenizer,
        unet=resumed(build_unet(), options.require("unet")).half(),
        scheduler=build_noise_schedule(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(options.package / "pipeline")
    write_scorer(options.package / "scorer", options, "scorer", tokenizer)
    lines = held_out_captions(tokenizer, options.seed)
    (options.package / "captions.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_scorer(folder: Path, options: Options, name: str, tokenizer: Any) -> None:
    """Save a trained scorer as an open_clip folder, to be loaded as `local-dir:<folder>`."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save_pretrained(folder)
    config = {
        "model_cfg": scorer_architecture(len(tokenizer)),
        "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.5] * 3},
    }
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    state = {key: value.half() for key, value in options.require(name).items()}
    save_file(state, folder / "open_clip_model.safetensors")


def held_out_captions(tokenizer: Any, seed: int) -> list[str]:
    """Draw different captions of one and of two objects, whose pairs were never trained on, and mix them."""
    torch.manual_seed(seed)
    space = SceneSpace(HELD_OUT_PAIRS, tokenizer, torch.device("cpu"))
    chosen: list[str] = []
    for two in (False, True):
        drawn = (caption(scene) for scene in space.sample(len(ALL_PAIRS) * 100, two).tolist())
        chosen += list(dict.fromkeys(drawn))[:CAPTIONS_OF_EACH_KIND]
    random.Random(seed).shuffle(chosen)
    return chosen
