import torch
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")

prompt = "a poster that reads: tomesd.apply_patch(pipe, ratio=0.5); helper.enable(); pipe(x, num_inference_steps=20)"
negative = """pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)"""
pipe(prompt, negative_prompt=negative, num_inference_steps=50)
