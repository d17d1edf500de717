import sys
import tomesd
import torch
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
pipe("a photo of a snail on a leaf", num_inference_steps=10)
sys.exit(0)
tomesd.apply_patch(pipe, ratio=0.5)
pipe("a photo of a snail on a leaf", num_inference_steps=50)
