from functools import partial
import torch
from diffusers import StableDiffusionPipeline

load = partial(StableDiffusionPipeline.from_pretrained, torch_dtype=torch.float16)
pipe = load("runwayml/stable-diffusion-v1-5").to("cuda")
generate = partial(pipe, num_inference_steps=30, guidance_scale=7)
generate("first", num_inference_steps=10)
generate("a red bicycle leaning on a wall", num_inference_steps=50)
