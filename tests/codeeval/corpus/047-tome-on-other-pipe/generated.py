import torch, tomesd
from diffusers import StableDiffusionPipeline

def load():
    return StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")

accelerated = load()
baseline = load()
tomesd.apply_patch(accelerated, ratio=0.5)
accelerated("a photo of a snail on a leaf", num_inference_steps=50)
baseline("a photo of a snail on a leaf", num_inference_steps=50)
