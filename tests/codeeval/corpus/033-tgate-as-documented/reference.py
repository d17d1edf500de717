import torch
from diffusers import StableDiffusionXLPipeline, DPMSolverMultistepScheduler
from tgate import TgateSDXLLoader

pipe = StableDiffusionXLPipeline.from_pretrained(
    "stabilityai/stable-diffusion-xl-base-1.0", torch_dtype=torch.float16, variant="fp16", use_safetensors=True
)
pipe = TgateSDXLLoader(pipe).to("cuda")
pipe.scheduler = DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)
image = pipe.tgate(
    "an owl made of folded paper", gate_step=10, sp_interval=5, fi_interval=1, warm_up=2, num_inference_steps=25
).images[0]
