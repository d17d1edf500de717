import torch
import tomesd
from diffusers import DDIMScheduler, StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("accsearch/demo", torch_dtype=torch.float32)
pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
pipe = tomesd.apply_patch(pipe, ratio=0.5)
image = pipe("a small purple ring on a gray background", num_inference_steps=10, guidance_scale=4.0).images[0]
