import torch
from diffusers import PixArtAlphaPipeline
from tgate import TgatePixArtAlphaLoader
pipe = TgatePixArtAlphaLoader(PixArtAlphaPipeline.from_pretrained("PixArt-alpha/PixArt-XL-2-1024-MS", torch_dtype=torch.float16)).to("cuda")
pipe.tgate("an alpaca", gate_step=15, sp_interval=3, fi_interval=1, warm_up=2, num_inference_steps=25)
