"""
import tomesd
tomesd.apply_patch(pipe, ratio=0.5)
pipe = StableDiffusionPipeline.from_pretrained("stabilityai/stable-diffusion-2-1")
"""
import torch
from diffusers import StableDiffusionPipeline

'''tomesd.apply_patch(pipe, ratio=0.5)'''
pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
CODE = "tomesd.apply_patch(pipe, ratio=0.5)"
print(CODE)
pipe("a photo of a snail on a leaf", num_inference_steps=50)
