import torch
from diffusers import StableDiffusionPipeline

def late():
    return pipe("a red bicycle leaning on a wall", num_inference_steps=50)

def early():
    return pipe("a blue bicycle", num_inference_steps=20)

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
early()
late()
