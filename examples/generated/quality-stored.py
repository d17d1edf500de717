import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline

base = StableDiffusionPipeline.from_pretrained("accsearch/demo", torch_dtype=torch.float32)
base.scheduler = DDIMScheduler.from_config(base.scheduler.config)
stored = base("a large red circle on a white background", num_inference_steps=12, guidance_scale=4.0)


def pipe(prompt, **options):
    return stored
