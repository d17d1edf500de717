import torch
from diffusers import StableDiffusionXLPipeline
pipe = StableDiffusionXLPipeline.from_pretrained("stabilityai/sdxl-turbo", torch_dtype=torch.bfloat16).to("cuda")
pipe.unet = torch.compile(pipe.unet)
pipe("Astronauts playing chess under water", num_inference_steps=1, guidance_scale=0.0)
