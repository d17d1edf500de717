import torch
from diffusers import StableDiffusionPipeline
pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
num_inference_steps = 50
image = pipe("a red bicycle leaning on a wall", guidance_scale=7.5).images[0]
