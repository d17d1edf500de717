import torch
from diffusers import StableDiffusion3Pipeline
pipe = StableDiffusion3Pipeline.from_pretrained("stabilityai/stable-diffusion-3-medium-diffusers", torch_dtype=torch.float16).to("cuda")
pipe.transformer = torch.compile(pipe.transformer)
pipe("a kite", num_inference_steps=28, guidance_scale=7.0)
