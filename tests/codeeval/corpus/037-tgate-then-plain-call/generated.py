import torch
from diffusers import StableDiffusionPipeline
from tgate import TgateSDLoader

pipe = TgateSDLoader(StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5")).to("cuda")
fast = pipe.tgate("a stone bridge", gate_step=20, sp_interval=5, fi_interval=1, warm_up=2, num_inference_steps=50).images[0]
slow = pipe("a stone bridge", num_inference_steps=50).images[0]
