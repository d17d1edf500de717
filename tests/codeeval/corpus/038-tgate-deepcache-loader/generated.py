import torch
from diffusers import EulerDiscreteScheduler as Euler, StableDiffusionXLPipeline as SDXL
from tgate import TgateSDXLDeepCacheLoader as load

pipe = load(SDXL.from_pretrained("stabilityai/stable-diffusion-xl-base-1.0", torch_dtype=torch.float16), 3, 0)
pipe = pipe.to("cuda")
pipe.scheduler = Euler.from_config(pipe.scheduler.config)
pipe.tgate(
    "a harbour at dawn",
    num_inference_steps=30,
    gate_step=10,
    sp_interval=1,
    fi_interval=1,
    warm_up=0,
)
