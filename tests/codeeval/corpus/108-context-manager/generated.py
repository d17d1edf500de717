from contextlib import contextmanager
import torch
from diffusers import StableDiffusionPipeline
from DeepCache import DeepCacheSDHelper

@contextmanager
def cached(pipe, **params):
    helper = DeepCacheSDHelper(pipe=pipe)
    helper.set_params(**params)
    helper.enable()
    try:
        yield helper
    finally:
        helper.disable()

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
with cached(pipe, cache_interval=5, cache_branch_id=0):
    pipe("a quiet street at night, rain", num_inference_steps=50)
