import torch
from DeepCache import DeepCacheSDHelper
from diffusers import DDIMScheduler, StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("accsearch/demo", torch_dtype=torch.float32)
pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
cache = DeepCacheSDHelper(pipe)
cache.set_params(cache_branch_id=0, cache_interval=3)
cache.enable()
with torch.inference_mode():
    image = pipe("a large cyan circle in the center on a black background", None, None, 12, guidance_scale=4.0)[0][0]
