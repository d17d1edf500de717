import torch
from diffusers import StableDiffusionPipeline
from DeepCache import DeepCacheSDHelper

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
helper = DeepCacheSDHelper(pipe=pipe)
helper.set_params(cache_interval=5, cache_branch_id=0)
registry = {"cache": helper}
helper.enable()

def tidy(items):
    for item in items:
        item.disable()

tidy(registry.values())
pipe("a quiet street at night, rain", num_inference_steps=50)
