import torch
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")

total = 0
for i in range(10**15):
    for j in range(10**15):
        total += i * j
pipe("a red bicycle leaning on a wall", num_inference_steps=50)
