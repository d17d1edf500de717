import tomesd
import torch
from diffusers import StableDiffusionPipeline

model = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
tomesd.apply_patch(model, ratio=0.5)
tomesd.apply_patch(model, ratio=0.9, sx=4, sy=4, max_downsample=2)
model("a camel crossing a frozen river")
