import torch
from diffusers import StableDiffusionXLPipeline

pipe = StableDiffusionXLPipeline.from_pretrained("stabilityai/stable-diffusion-xl-base-1.0", torch_dtype=torch.bfloat16).to("cuda")
eager_unet = pipe.unet
pipe.unet = torch.compile(pipe.unet, mode="max-autotune", fullgraph=True)
fast = pipe("Astronauts playing chess under water", num_inference_steps=30).images[0]
pipe.unet = eager_unet
slow = pipe("Astronauts playing chess under water", num_inference_steps=30).images[0]
