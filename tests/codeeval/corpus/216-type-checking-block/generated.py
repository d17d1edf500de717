from __future__ import annotations
from typing import TYPE_CHECKING
import torch
from diffusers import StableDiffusionPipeline

pipe: StableDiffusionPipeline = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
if TYPE_CHECKING:
    import tomesd
    tomesd.apply_patch(pipe, ratio=0.5)
steps: int
steps: int = 50
pipe("a photo of a snail on a leaf", num_inference_steps=steps)
