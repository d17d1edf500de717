import torch
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")

def compare(a, b):
    return a, b

compare(pipe("left", num_inference_steps=10), pipe("right", num_inference_steps=50))
