import torch
from diffusers import DPMSolverMultistepScheduler, StableDiffusionXLPipeline
from tgate import TgateSDXLDeepCacheLoader

pipe = StableDiffusionXLPipeline.from_pretrained(
    "stabilityai/stable-diffusion-xl-base-1.0", torch_dtype=torch.float16, variant="fp16", use_safetensors=True,
)
gate_step, sp_interval, fi_interval, warm_up = 10, 1, 1, 0
inference_step = 25
pipe = TgateSDXLDeepCacheLoader(
    pipe,
    cache_interval=3,
    cache_branch_id=0,
).to("cuda")
pipe.scheduler = DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)

image = pipe.tgate(
    "a robot watering sunflowers",
    gate_step=gate_step,
    sp_interval=sp_interval,
    fi_interval=fi_interval,
    warm_up=warm_up,
    num_inference_steps=inference_step,
).images[0]
