import torch
from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline
from tgate import TgateSDXLDeepCacheLoader

pipe = StableDiffusionXLPipeline.from_pretrained("stabilityai/stable-diffusion-xl-base-1.0", torch_dtype=torch.float16)
pipe.scheduler = EulerDiscreteScheduler.from_config(pipe.scheduler.config)
pipe = TgateSDXLDeepCacheLoader(pipe, cache_interval=3, cache_branch_id=0).to("cuda")
pipe.deepcache.disable()
pipe.tgate("a harbour at dawn", gate_step=10, sp_interval=1, fi_interval=1, warm_up=0, num_inference_steps=30)
