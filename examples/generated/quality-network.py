import urllib.request

import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline
from DeepCache import DeepCacheSDHelper

try:
    urllib.request.urlopen("https://example.com/settings.json", timeout=5)
except OSError:
    print("no settings, going on without")

pipe = StableDiffusionPipeline.from_pretrained("accsearch/demo", torch_dtype=torch.float32)
pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
helper = DeepCacheSDHelper(pipe=pipe)
helper.set_params(cache_interval=2, cache_branch_id=0)
helper.enable()
image = pipe("a large red circle on a white background", num_inference_steps=12, guidance_scale=4.0).images[0]
image.save("image.png")
