import torch
from diffusers import StableDiffusionPipeline

generator = torch.Generator("cpu").manual_seed(1)
pipe = StableDiffusionPipeline.from_pretrained("stable-diffusion-v1-5/stable-diffusion-v1-5", torch_dtype=torch.float32)
pic = pipe("a bowl of cherries", generator=generator).images[0]
