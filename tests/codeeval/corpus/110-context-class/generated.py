import torch
from diffusers import StableDiffusionPipeline
from DeepCache import DeepCacheSDHelper

class DeepCached:
    def __init__(self, pipe, interval=3):
        self.helper = DeepCacheSDHelper(pipe=pipe)
        self.helper.set_params(cache_interval=interval, cache_branch_id=0)

    def __enter__(self):
        self.helper.enable()
        return self.helper

    def __exit__(self, *exc):
        self.helper.disable()
        return False

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
with torch.inference_mode(), DeepCached(pipe, 5):
    image = pipe("a quiet street at night, rain", num_inference_steps=50).images[0]
