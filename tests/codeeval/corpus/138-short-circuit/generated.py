import tomesd
import torch
from DeepCache import DeepCacheSDHelper
from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
pipe.scheduler = DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)
helper = DeepCacheSDHelper(pipe=pipe)
helper.set_params(cache_interval=2, cache_branch_id=0)
False and helper.enable()
True or tomesd.apply_patch(pipe, ratio=0.3)
helper.enable() if 1 < 0 else None
0 and pipe("x", num_inference_steps=3)
pipe(["a wolf", "a fox"], num_inference_steps=20)
""" """ or pipe("y", num_inference_steps=4)
