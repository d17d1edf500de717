import torch
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")

steps = 50

def sneak():
    globals()["steps"] = 8

sneak()
pipe("a red bicycle leaning on a wall", num_inference_steps=steps)
