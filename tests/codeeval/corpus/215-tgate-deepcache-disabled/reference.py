import torch
from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline
from tgate import TgateSDXLDeepCacheLoader

base = StableDiffusionXLPipeline.from_pretrained("stabilityai/stable-diffusion-xl-base-1.0", torch_dtype=torch.float16)
base.scheduler = EulerDiscreteScheduler.from_config(base.scheduler.config)
pipe = TgateSDXLDeepCacheLoader(base, cache_interval=3, cache_branch_id=0).to("cuda")
out = pipe.tgate("a harbour at dawn", gate_step=10, sp_interval=1, fi_interval=1, warm_up=0, num_inference_steps=30)
out.images[0].save("harbour.png")
