import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline
from tgate import TgateSDLoader

gate = {"gate_step": 5, "sp_interval": 1, "fi_interval": 1, "warm_up": 0}
base = StableDiffusionPipeline.from_pretrained("accsearch/demo", torch_dtype=torch.float32)
base.scheduler = DDIMScheduler.from_config(base.scheduler.config)
pipe = TgateSDLoader(base)
image = pipe.tgate("a small yellow star on a navy background", num_inference_steps=12, guidance_scale=4.0, **gate).images[0]
