import torch
from diffusers import StableDiffusionPipeline

try:
    from DeepCache import DeepCacheSDHelper
    HAVE_CACHE = True
except ImportError:
    HAVE_CACHE = False

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
if HAVE_CACHE:
    helper = DeepCacheSDHelper(pipe=pipe)
    helper.set_params(cache_interval=5, cache_branch_id=0)
    helper.enable()
try:
    image = pipe("a quiet street at night, rain", num_inference_steps=50).images[0]
except RuntimeError:
    image = pipe("a quiet street at night, rain", num_inference_steps=10).images[0]
