import torch
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")

n = 20
while True:
    if n > 50:
        break
    pipe("a red bicycle leaning on a wall", num_inference_steps=n)
    n += 15
else:
    pipe("never", num_inference_steps=1)
