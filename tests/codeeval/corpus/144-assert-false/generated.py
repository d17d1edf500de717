import torch
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")

pipe("a red bicycle leaning on a wall", num_inference_steps=15)
assert 1 + 1 == 3, "stop here"
pipe("a red bicycle leaning on a wall", num_inference_steps=50)
