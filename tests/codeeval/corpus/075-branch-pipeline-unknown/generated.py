import random
import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline

if random.random() < 0.5:
    pipe = StableDiffusionXLPipeline.from_pretrained("stabilityai/stable-diffusion-xl-base-1.0", torch_dtype=torch.bfloat16)
else:
    pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.bfloat16)
pipe.to("cuda")
pipe("Astronauts playing chess under water", num_inference_steps=30)
