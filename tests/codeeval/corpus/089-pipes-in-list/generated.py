import torch, tomesd
from diffusers import StableDiffusionPipeline
repos = ["runwayml/stable-diffusion-v1-5", "stabilityai/stable-diffusion-2-1"]
pipes = [StableDiffusionPipeline.from_pretrained(r, torch_dtype=torch.float16).to("cuda") for r in repos]
for p in pipes:
    tomesd.apply_patch(p, ratio=0.5)
    p("a photo of a snail on a leaf", num_inference_steps=50)
