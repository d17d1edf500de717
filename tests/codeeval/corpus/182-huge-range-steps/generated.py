import torch
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")

steps = 0
for i in range(10**15):
    steps = (steps * 31 + i) % 51
pipe("a red bicycle leaning on a wall", num_inference_steps=steps)
