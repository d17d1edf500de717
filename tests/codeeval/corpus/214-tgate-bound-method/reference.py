import torch
from diffusers import StableDiffusionPipeline
from tgate import TgateSDLoader

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16)
pipe = TgateSDLoader(pipe).to("cuda")
image = pipe.tgate("a stone bridge", gate_step=20, sp_interval=5, fi_interval=1, warm_up=2, num_inference_steps=50).images[0]
