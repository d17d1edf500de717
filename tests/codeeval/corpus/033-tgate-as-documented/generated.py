import torch
from diffusers import DPMSolverMultistepScheduler, StableDiffusionXLPipeline
import tgate

gate_step, sp_interval, fi_interval, warm_up = 10, 5, 1, 2
steps = 25

pipe = StableDiffusionXLPipeline.from_pretrained("stabilityai/stable-diffusion-xl-base-1.0", torch_dtype=torch.float16)
pipe.scheduler = DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)
pipe = tgate.TgateSDXLLoader(pipe)
pipe.to("cuda")
result = pipe.tgate("an owl made of folded paper", gate_step=gate_step, sp_interval=sp_interval,
                    fi_interval=fi_interval, warm_up=warm_up, num_inference_steps=steps)
