import torch
from diffusers import StableDiffusionPipeline
from DeepCache import DeepCacheSDHelper

first = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
second = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
helper = DeepCacheSDHelper(pipe=first)
helper.set_params(cache_interval=5, cache_branch_id=0)
pipe = first
helper.enable()
pipe = second
pipe("a quiet street at night, rain", num_inference_steps=50)
