import torch
from diffusers import StableDiffusionPipeline

def load():
    return StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")

def generate(prompt):
    return load()(prompt, num_inference_steps=50).images[0]
