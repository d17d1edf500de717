import torch
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")

for n in (10, 20, 30):
    if n != 20:
        continue
    pipe("a red bicycle leaning on a wall", num_inference_steps=n)
else:
    pipe("a red bicycle leaning on a wall", num_inference_steps=n + 20)
