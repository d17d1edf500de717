import torch
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
pipe("a stone bridge", num_inference_steps=30)
pipe.tgate("a stone bridge", gate_step=20, sp_interval=5, fi_interval=1, warm_up=2, num_inference_steps=50)
