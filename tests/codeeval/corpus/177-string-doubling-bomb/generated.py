import torch
from diffusers import StableDiffusionPipeline
name = "a/b"
for _ in range(100):
    name = name + name
pipe = StableDiffusionPipeline.from_pretrained(name, torch_dtype=torch.float16).to("cuda")
pipe("a red bicycle leaning on a wall", num_inference_steps=50)
