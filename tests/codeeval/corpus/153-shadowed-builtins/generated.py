import torch
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")

def int(text):
    return 20

max = lambda *values: 5
pipe("a red bicycle leaning on a wall", num_inference_steps=max(50, 50))
pipe("a red bicycle leaning on a wall", num_inference_steps=int("50"))
