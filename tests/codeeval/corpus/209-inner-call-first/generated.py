import torch
from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionPipeline
first = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
second = StableDiffusionImg2ImgPipeline(**first.components)
second("sharper", image=first("a red bicycle leaning on a wall", num_inference_steps=50).images[0], num_inference_steps=20)
