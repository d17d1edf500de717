import tomesd
import torch
from DeepCache import DeepCacheSDHelper
from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline

pipeline = StableDiffusionPipeline.from_pretrained(
    "runwayml/stable-diffusion-v1-5",
    torch_dtype=torch.float16,
    safety_checker=None,
).to("cuda")
pipeline.scheduler = DPMSolverMultistepScheduler.from_config(pipeline.scheduler.config)
helper = DeepCacheSDHelper(pipe=pipeline)
helper.set_params(cache_interval=2, cache_branch_id=0)
helper.enable()
tomesd.apply_patch(pipeline, ratio=0.3, max_downsample=1)
with torch.inference_mode():
    images = pipeline(["a wolf", "a fox"], num_inference_steps=20).images
