import torch, tomesd
from diffusers import StableDiffusionPipeline
USE_TOME = 0
DEBUG = not USE_TOME
pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
if USE_TOME:
    tomesd.apply_patch(pipe, ratio=0.5)
elif not DEBUG:
    tomesd.apply_patch(pipe, ratio=0.25)
while USE_TOME:
    tomesd.apply_patch(pipe, ratio=0.75)
pipe("a photo of a snail on a leaf", num_inference_steps=50)
