# -*- coding: latin-1 -*-
import torch
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
prompt = "un vélo rouge appuyé contre un mur"
pipe(prompt, num_inference_steps=50)
