import tomesd
import torch
from DeepCache import DeepCacheSDHelper
from diffusers import DDIMScheduler, StableDiffusionPipeline


def accelerate(pipe):
    tomesd.apply_patch(pipe, ratio=0.5)
    helper = DeepCacheSDHelper(pipe=pipe)
    helper.set_params(cache_interval=3)
    helper.enable()
    return pipe


pipe = StableDiffusionPipeline.from_pretrained("accsearch/demo", torch_dtype=torch.float32)
pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
pipe = accelerate(pipe)
image = pipe("a large orange cross on a tan background", num_inference_steps=12, guidance_scale=4.0).images[0]
