"""Count the arithmetic of an image: all of it, and what is left with DeepCache, T-GATE and both.

python benchmarks/flops.py                      SD1.5 at 512 px, 50 steps with guidance (docs/measurements/h200.md)
python benchmarks/flops.py --kind sdxl

Multiplications and additions of convolutions and matrix products, of the denoiser and one decoding; the text
encoders, which run once, are left out. Counted on torch's meta device, which computes nothing.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from accsearch.task import Methods
from accsearch.worker.methods.compose import apply

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))

from make_random_pipeline import KINDS, MAX_LENGTH

# The vendor's datasheet of the H200 for dense float16 products, and four fifths of it.
RATES = (990, 790)
DEEPCACHE: Methods = {"deepcache": {"cache_interval": 5, "cache_branch_id": 0}}
TGATE: Methods = {"tgate": {"gate_step": 10, "sp_interval": 1, "fi_interval": 1, "warm_up": 2}}
COUNTED: Mapping[str, Methods] = {
    "all of it": {},
    "DeepCache 5": DEEPCACHE,
    "T-GATE 10": TGATE,
    "DeepCache 5 + T-GATE 10": {**DEEPCACHE, **TGATE},
}


class Sampler:
    """A pipeline's calls of its denoiser and decoder, for one image with guidance, on tensors of shapes alone."""

    def __init__(self, pipeline: Any) -> None:
        self.unet = pipeline.unet
        self.vae = pipeline.vae
        self.scheduler = pipeline.scheduler

    def __call__(self, num_inference_steps: int, **_options: Any) -> list[torch.Tensor]:
        self.scheduler.set_timesteps(num_inference_steps)
        config = self.unet.config
        with torch.device("meta"):
            latents = torch.empty(2, config.in_channels, config.sample_size, config.sample_size).half()
            text = torch.empty(2, MAX_LENGTH, config.cross_attention_dim).half()
            added = None
            if config.addition_embed_type == "text_time":
                pooled = config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim
                added = {"text_embeds": torch.empty(2, pooled).half(), "time_ids": torch.empty(2, 6).half()}
        for timestep in self.scheduler.timesteps.tolist():
            self.unet(latents, timestep, text, added_cond_kwargs=added, return_dict=False)
        return [self.vae.decode(latents[:1], return_dict=False)[0]]


def tflop(sampler: Sampler, methods: Methods, steps: int) -> float:
    """Return the 10^12 operations of one image."""
    with (
        apply(sampler, methods) as applied,
        FlopCounterMode(display=False) as counter,
        torch.inference_mode(),
    ):
        applied(num_inference_steps=steps, guidance_scale=7.5)
    return float(counter.get_total_flops()) / 1e12


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kind", choices=KINDS, default="sd15")
    parser.add_argument("--steps", type=int, default=50)
    options = parser.parse_args()
    sampler = Sampler(KINDS[options.kind](torch.device("meta")))
    print("| | TFLOP |" + "".join(f" s at {rate} TFLOP/s |" for rate in RATES))
    print("|---|--:|" + "--:|" * len(RATES))
    for name, methods in COUNTED.items():
        count = tflop(sampler, methods, options.steps)
        seconds = "".join(f" {count / rate:.3f} |" for rate in RATES)
        print(f"| {name} | {count:.1f} |{seconds}", flush=True)


if __name__ == "__main__":
    main()
