import torch
from diffusers import StableDiffusionXLPipeline

pipe = StableDiffusionXLPipeline.from_pretrained("stabilityai/stable-diffusion-xl-base-1.0", torch_dtype=torch.bfloat16).to("cuda")
pipe.unet.compile(mode="max-autotune", fullgraph=True)
pipe("warmup", num_inference_steps=1)
pipe("Astronauts playing chess under water", num_inference_steps=30)
