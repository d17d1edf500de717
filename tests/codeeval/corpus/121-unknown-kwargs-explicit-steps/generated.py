import json
import torch
from diffusers import StableDiffusionPipeline

with open("extra.json") as f:
    extra = json.load(f)
pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
pipe("a red bicycle leaning on a wall", num_inference_steps=50, **extra)
