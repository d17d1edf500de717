# Accelerated Stable Diffusion inference using DeepCache
import torch
from diffusers import StableDiffusionPipeline
from diffusers import DDIMScheduler
from DeepCache import DeepCacheSDHelper

# 1. Load the pipeline
pipe = StableDiffusionPipeline.from_pretrained(
    "runwayml/stable-diffusion-v1-5",
    torch_dtype=torch.float16,
)
pipe = pipe.to("cuda")

# 2. Use the DDIM scheduler
pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)

# 3. Enable DeepCache
deepcache = DeepCacheSDHelper(pipe=pipe)
deepcache.set_params(
    cache_interval=3,
    cache_branch_id=0,
)
deepcache.enable()

# 4. Generate
prompt = "a lighthouse in a storm"
image = pipe(prompt=prompt, num_inference_steps=50).images[0]
image.save("result.png")
