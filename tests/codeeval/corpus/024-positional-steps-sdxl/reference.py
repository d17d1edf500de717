import torch
from diffusers import StableDiffusionXLPipeline
p = StableDiffusionXLPipeline.from_pretrained("stabilityai/stable-diffusion-xl-base-1.0", torch_dtype=torch.float16).to("cuda")
p("tree", height=1024, width=1024, num_inference_steps=24)
