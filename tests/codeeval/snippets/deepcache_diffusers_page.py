import torch
from diffusers import StableDiffusionPipeline
from DeepCache import DeepCacheSDHelper

pipeline = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
helper = DeepCacheSDHelper(pipe=pipeline)
helper.set_params(cache_interval=3, cache_branch_id=0)
helper.enable()

image = pipeline("a lobster in a library").images[0]
