import torch
from diffusers import StableDiffusionXLPipeline

p = StableDiffusionXLPipeline.from_pretrained("stabilityai/stable-diffusion-xl-base-1.0", torch_dtype=torch.float16).to("cuda")
size = (1024, 1024)
p("tree", None, *size, 24)
