"""What each transformer cache costs the exported diffusion transformer, by the strength of the cache."""

import json
from typing import Any

import torch
from diffusers import FluxPipeline
from torch.nn import functional

import accsearch
from demo_training.drawing import BATCH
from demo_training.evaluation import Judge
from demo_training.evaluation_transformer import GUIDANCE, draw_transformer
from demo_training.stage import Options

IMAGES = 16
QUANTILES = ("p50", "p75", "p95")
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "first_block_cache": [{"threshold": each} for each in QUANTILES],
    "mag_cache": [{"threshold": "p50"}, {"threshold": "p75"}, {"threshold": "p95", "max_skip": 16}],
    "taylorseer": [{"scope": "blocks", "interval": each} for each in (3, 5, 10)],
    "pyramid_attention_broadcast": [
        {"interval": 2},
        {"interval": 4},
        {"interval": 20, "start": 0.0, "end": 1.0},
    ],
    "step_cache": [{"threshold": each} for each in QUANTILES],
}
"""Method → its settings, from the gentlest to the harshest."""


def measure_caches(options: Options) -> None:
    """Write caches-dit.json: CLIP score, and PSNR in dB against the images without a cache from the same noise."""
    pipeline = FluxPipeline.from_pretrained(options.package / "dit" / "pipeline", dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.to(options.device)
    judge = Judge(options.package / "scorer", options.device)
    count = min(options.scaled(IMAGES, least=2), BATCH)
    captions = (options.package / "captions.txt").read_text(encoding="utf-8").splitlines()[:count]
    texts = judge.texts(captions)
    reference = draw_transformer(pipeline, captions, options.seed, GUIDANCE)
    figures: dict[str, dict[str, float]] = {"baseline": {"clip_score": _score(judge, reference, texts)}}
    for method, settings in VARIANTS.items():
        for each in settings:
            with accsearch.accelerate(pipeline, {method: each}) as call:
                images = draw_transformer(call, captions, options.seed, GUIDANCE)
            error = functional.mse_loss(images, reference, reduction="none").mean(dim=(1, 2, 3))
            name = " ".join([method, *map(str, each.values())])
            figures[name] = {
                "clip_score": _score(judge, images, texts),
                "psnr": float((-10 * torch.log10(error.clamp(min=1e-8))).mean()),
            }
            print(name, figures[name], flush=True)
    (options.out / "caches-dit.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def _score(judge: Judge, images: torch.Tensor, texts: torch.Tensor) -> float:
    return float(100 * (judge.images(images) * texts).sum(dim=1).mean())
