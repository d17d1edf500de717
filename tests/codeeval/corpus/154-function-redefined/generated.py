import torch
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")

def generate(prompt):
    return pipe(prompt, num_inference_steps=50)

def generate(prompt):
    return pipe(prompt, num_inference_steps=10)

generate("a red bicycle leaning on a wall")
