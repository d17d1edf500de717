import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline
from DeepCache import DeepCacheSDHelper

model_id = "runwayml/stable-diffusion-v1-5"
pipe = StableDiffusionPipeline.from_pretrained(model_id, torch_dtype=torch.float16).to("cuda")
pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)

helper = DeepCacheSDHelper(pipe=pipe)
helper.set_params(cache_interval=3, cache_branch_id=0)
helper.enable()

image = pipe("a lighthouse in a storm", num_inference_steps=50).images[0]
image.save("lighthouse.png")
