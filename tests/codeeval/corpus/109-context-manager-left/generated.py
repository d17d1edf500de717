from contextlib import contextmanager
import torch
from diffusers import StableDiffusionPipeline
from DeepCache import DeepCacheSDHelper

@contextmanager
def cached(pipe, interval):
    helper = DeepCacheSDHelper(pipe=pipe)
    helper.set_params(cache_interval=interval, cache_branch_id=0)
    helper.enable()
    yield
    helper.disable()

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
with cached(pipe, 5):
    pipe("warm up", num_inference_steps=5)
pipe("a quiet street at night, rain", num_inference_steps=50)
