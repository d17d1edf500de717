import torch
from DeepCache import DeepCacheSDHelper
from diffusers import DDIMScheduler, StableDiffusionPipeline

base = StableDiffusionPipeline.from_pretrained("accsearch/demo", torch_dtype=torch.float32)
base.scheduler = DDIMScheduler.from_config(base.scheduler.config)
helper = DeepCacheSDHelper(pipe=base)
helper.set_params(cache_interval=2, cache_branch_id=0)
helper.enable()


def pipe(prompt, generator=None):
    return base(prompt, num_inference_steps=12, guidance_scale=4.0, generator=generator)


image = pipe("a small green triangle on a brown background").images[0]
