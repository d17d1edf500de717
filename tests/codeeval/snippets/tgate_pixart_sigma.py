import torch
from diffusers import PixArtSigmaPipeline
from tgate import TgatePixArtSigmaLoader

pipe = PixArtSigmaPipeline.from_pretrained("PixArt-alpha/PixArt-Sigma-XL-2-1024-MS", torch_dtype=torch.float16)
inference_step = 25
pipe = TgatePixArtSigmaLoader(pipe).to("cuda")
image = pipe.tgate("a robot watering sunflowers", gate_step=15, sp_interval=3, fi_interval=1, warm_up=2,
                   num_inference_steps=inference_step).images[0]
