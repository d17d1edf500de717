import torch
from diffusers import StableDiffusionXLPipeline

pipe = StableDiffusionXLPipeline.from_pretrained("stabilityai/stable-diffusion-xl-base-1.0", torch_dtype=torch.bfloat16).to("cuda")
torch.compile(pipe.unet, mode="max-autotune", fullgraph=True)
compiled = torch.compile(pipe.vae)
pipe("Astronauts playing chess under water", num_inference_steps=30)
