import torch
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")

STEPS = 50
g = globals()
g["pipe"]("a red bicycle leaning on a wall", num_inference_steps=g["STEPS"])
