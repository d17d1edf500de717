import torch
from diffusers import StableDiffusionPipeline
NAME = "runwayml/stable-diffusion-v1-5" * 10**10
pipe = StableDiffusionPipeline.from_pretrained(NAME, torch_dtype=torch.float16).to("cuda")
pipe("a" * 10**12, num_inference_steps=50)
