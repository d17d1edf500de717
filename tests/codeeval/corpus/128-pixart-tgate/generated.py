import torch
from diffusers import PixArtAlphaPipeline
from tgate import TgatePixArtAlphaLoader as Loader

gate = {"gate_step": 15, "sp_interval": 3, "fi_interval": 1, "warm_up": 2}
pipe = PixArtAlphaPipeline.from_pretrained("PixArt-alpha/PixArt-XL-2-1024-MS", torch_dtype=torch.float16)
loaded = Loader(pipe).to("cuda")
image = loaded.tgate("an alpaca", num_inference_steps=25, **gate).images[0]
