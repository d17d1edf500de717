import torch
from diffusers import StableDiffusionPipeline
from tgate import TgateSDLoader

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
TgateSDLoader(pipe)
settings = dict(gate_step=20, sp_interval=5, fi_interval=1, warm_up=2)
pipe.tgate(prompt="a stone bridge", num_inference_steps=50, **settings)
