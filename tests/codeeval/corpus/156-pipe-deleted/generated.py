import gc
import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline

pipe = StableDiffusionXLPipeline.from_pretrained("stabilityai/stable-diffusion-xl-base-1.0", torch_dtype=torch.bfloat16).to("cuda")
pipe.unet = torch.compile(pipe.unet)
pipe("Astronauts playing chess under water", num_inference_steps=30)
del pipe
gc.collect()
torch.cuda.empty_cache()
pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.bfloat16).to("cuda")
pipe("Astronauts playing chess under water", num_inference_steps=30)
