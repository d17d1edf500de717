import torch
from diffusers import StableDiffusionPipeline, DDIMScheduler
from DeepCache import DeepCacheSDHelper

load_args = {"pretrained_model_name_or_path": "runwayml/stable-diffusion-v1-5", "torch_dtype": torch.float16}
cache_args = dict(cache_interval=3, cache_branch_id=0)
call_args = {"num_inference_steps": 50, "guidance_scale": 7.5}

pipe = StableDiffusionPipeline.from_pretrained(**load_args).to("cuda")
pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
h = DeepCacheSDHelper(pipe=pipe)
h.set_params(**cache_args)
h.enable()
pipe("a lighthouse in a storm", **call_args).images[0].save("x.png")
