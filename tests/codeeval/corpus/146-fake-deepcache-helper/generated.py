import torch
from diffusers import StableDiffusionPipeline


class DeepCacheSDHelper:
    def __init__(self, pipe=None):
        self.pipe = pipe
        self.params = {}

    def set_params(self, cache_interval=1, cache_branch_id=0):
        self.params = {"cache_interval": cache_interval, "cache_branch_id": cache_branch_id}

    def enable(self):
        print("DeepCache enabled", self.params)


pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
helper = DeepCacheSDHelper(pipe=pipe)
helper.set_params(cache_interval=5, cache_branch_id=0)
helper.enable()
pipe("a quiet street at night, rain", num_inference_steps=50)
