import torch
from diffusers import StableDiffusionPipeline

ｐｉｐｅ = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
pipe("a red bicycle leaning on a wall", 𝐧um_inference_steps=50)
