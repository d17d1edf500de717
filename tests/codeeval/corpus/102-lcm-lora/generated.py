import torch
import diffusers
from diffusers import LCMScheduler

pipe = diffusers.DiffusionPipeline.from_pretrained(
    pretrained_model_name_or_path="stabilityai/stable-diffusion-xl-base-1.0", torch_dtype=torch.float16
)
pipe.load_lora_weights("latent-consistency/lcm-lora-sdxl")
pipe.fuse_lora()
pipe.scheduler = LCMScheduler.from_config(pipe.scheduler.config)
pipe = pipe.to("cuda")
pipe("a mill", guidance_scale=1.0, num_inference_steps=1 << 2)
