import torch
from diffusers import StableDiffusionPipeline

defaults = {"num_inference_steps": 20, "guidance_scale": 7.5}
overrides = {"num_inference_steps": 50}
settings = defaults.copy()
settings.update(overrides)

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
pipe("a red bicycle leaning on a wall", **settings)
