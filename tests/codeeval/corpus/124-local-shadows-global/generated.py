import torch
from diffusers import StableDiffusionPipeline

steps = 20
pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")

def set_quality():
    steps = 50          # local, changes nothing outside
    return steps

set_quality()
pipe("a red bicycle leaning on a wall", num_inference_steps=steps)
