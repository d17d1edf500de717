import torch
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")

from functools import partial
pipe.__call__ = partial(pipe.__call__, num_inference_steps=50)
pipe("a red bicycle leaning on a wall")
