import torch
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")

def ping(n):
    return pong(n + 1)

def pong(n):
    return ping(n - 1)

def steps():
    try:
        return ping(0)
    except RecursionError:
        return None

pipe("a red bicycle leaning on a wall", num_inference_steps=steps())
