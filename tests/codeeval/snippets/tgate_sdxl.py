import torch
from diffusers import StableDiffusionXLPipeline
from diffusers import DPMSolverMultistepScheduler

pipe = StableDiffusionXLPipeline.from_pretrained(
    "stabilityai/stable-diffusion-xl-base-1.0",
    torch_dtype=torch.float16,
    variant="fp16",
    use_safetensors=True,
)

from tgate import TgateSDXLLoader
gate_step = 10
sp_interval = 5
fi_interval = 1
warm_up = 2
inference_step = 25
pipe = TgateSDXLLoader(pipe).to("cuda")

pipe.scheduler = DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)

image = pipe.tgate(
        "a robot watering sunflowers",
        gate_step=gate_step,
        sp_interval=sp_interval,
        fi_interval=fi_interval,
        warm_up=warm_up,
        num_inference_steps=inference_step
).images[0]
