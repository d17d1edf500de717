import torch
from diffusers import StableDiffusionXLPipeline
from diffusers import UNet2DConditionModel, LCMScheduler

unet = UNet2DConditionModel.from_pretrained("latent-consistency/lcm-sdxl", torch_dtype=torch.float16, variant="fp16")
pipe = StableDiffusionXLPipeline.from_pretrained(
    "stabilityai/stable-diffusion-xl-base-1.0", unet=unet, torch_dtype=torch.float16, variant="fp16",
)
pipe.scheduler = LCMScheduler.from_config(pipe.scheduler.config)

from tgate import TgateSDXLLoader
gate_step = 1
inference_step = 4
pipe = TgateSDXLLoader(pipe, lcm=True).to("cuda")

image = pipe.tgate("a robot watering sunflowers", gate_step=gate_step, num_inference_steps=inference_step).images[0]
