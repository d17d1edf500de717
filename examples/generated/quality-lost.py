import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline
from DeepCache import DeepCacheSDHelper

pipe = StableDiffusionPipeline.from_pretrained("accsearch/demo", torch_dtype=torch.float32)
pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
helper = DeepCacheSDHelper(pipe=pipe)
helper.set_params(cache_interval=6, cache_branch_id=0)
helper.enable()
image = pipe("a large red circle on a white background", num_inference_steps=12, guidance_scale=4.0).images[0]
image.save("image.png")
