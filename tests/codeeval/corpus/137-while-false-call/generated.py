import torch
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")

pipe("a red bicycle leaning on a wall", num_inference_steps=50)
while False:
    pipe("a red bicycle leaning on a wall", num_inference_steps=5)
for _ in ():
    pipe("a red bicycle leaning on a wall", num_inference_steps=6)
for _ in range(0):
    pipe("a red bicycle leaning on a wall", num_inference_steps=7)
