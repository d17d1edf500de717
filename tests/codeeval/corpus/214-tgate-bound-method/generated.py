import torch
from diffusers import StableDiffusionPipeline
from tgate import TgateSDLoader

generate = TgateSDLoader(StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16)).to("cuda").tgate
generate("a stone bridge", gate_step=20, sp_interval=5, fi_interval=1, warm_up=2, num_inference_steps=50)
