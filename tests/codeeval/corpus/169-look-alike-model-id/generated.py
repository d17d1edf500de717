import torch
from diffusers import StableDiffusionPipeline
pipe = StableDiffusionPipeline.from_pretrained("runwaymⅼ/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
pipe("a red bicycle leaning on a wall", num_inference_steps=50)
