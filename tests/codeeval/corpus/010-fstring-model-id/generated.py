import torch
from diffusers import StableDiffusionPipeline

org = "runwayml"
family, version = "stable-diffusion", "v1-5"
pipe = StableDiffusionPipeline.from_pretrained(f"{org}/{family}-{version}", torch_dtype=torch.float16).to("cuda")
n = 5
image = pipe("a red bicycle leaning on a wall", num_inference_steps=n * 10).images[0]
