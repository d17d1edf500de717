import sys
import torch
from diffusers import StableDiffusionXLImg2ImgPipeline, StableDiffusionXLPipeline

pipe = StableDiffusionXLPipeline.from_pretrained("stabilityai/stable-diffusion-xl-base-1.0", torch_dtype=torch.bfloat16).to("cuda")
pipe.unet = torch.compile(pipe.unet)
image = pipe("Astronauts playing chess under water", num_inference_steps=30).images[0]
if len(sys.argv) > 1:
    refiner = StableDiffusionXLImg2ImgPipeline.from_pretrained("stabilityai/stable-diffusion-xl-refiner-1.0", torch_dtype=torch.bfloat16)
    image = refiner("Astronauts playing chess under water", image=image, num_inference_steps=30).images[0]
