from diffusers import StableDiffusionPipeline
import torch
import tomesd

pipeline = StableDiffusionPipeline.from_pretrained(
      "stable-diffusion-v1-5/stable-diffusion-v1-5", torch_dtype=torch.float16, use_safetensors=True,
).to("cuda")
tomesd.apply_patch(pipeline, ratio=0.5)

image = pipeline("a camel crossing a frozen river").images[0]
