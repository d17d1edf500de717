import torch
import tomesd
from diffusers import StableDiffusionPipeline, DPMSolverMultistepScheduler
from DeepCache import DeepCacheSDHelper

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16, safety_checker=None)
tomesd.apply_patch(pipe, ratio=0.3, max_downsample=1)        # ToMe first here
helper = DeepCacheSDHelper(pipe=pipe)
helper.set_params(cache_interval=2, cache_branch_id=0)
helper.enable()
pipe.scheduler = DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)
pipe.to("cuda")
pipe(["a wolf", "a fox"], num_inference_steps=20)
