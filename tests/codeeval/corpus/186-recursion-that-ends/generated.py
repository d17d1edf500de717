import torch
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")

def halve(n):
    return n if n <= 50 else halve(n // 2)

pipe("a red bicycle leaning on a wall", num_inference_steps=halve(400))
