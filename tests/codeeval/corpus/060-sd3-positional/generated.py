import torch
from diffusers import StableDiffusion3Pipeline
pipe = StableDiffusion3Pipeline.from_pretrained("stabilityai/stable-diffusion-3-medium-diffusers", torch_dtype=torch.float16).to("cuda")
for name in ("transformer", "vae"):
    setattr(pipe, name, torch.compile(getattr(pipe, name)))
pipe("a kite", "a kite", "a kite", 1024, 1024, 28)
