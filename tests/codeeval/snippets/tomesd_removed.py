import tomesd
import torch
from diffusers import StableDiffusionPipeline

model = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
tomesd.apply_patch(model, ratio=0.5)
tomesd.remove_patch(model)
model("a camel crossing a frozen river")
