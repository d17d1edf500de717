import torch
from diffusers import PixArtAlphaPipeline

pipe = PixArtAlphaPipeline.from_pretrained(
    "PixArt-alpha/PixArt-XL-2-1024-MS",
    torch_dtype=torch.float16,
)

from tgate import TgatePixArtAlphaLoader
gate_step = 15
sp_interval = 3
fi_interval = 1
warm_up = 2
inference_step = 25
pipe = TgatePixArtAlphaLoader(pipe).to("cuda")

image = pipe.tgate(
        "a robot watering sunflowers",
        gate_step=gate_step,
        sp_interval=sp_interval,
        fi_interval=fi_interval,
        warm_up=warm_up,
        num_inference_steps=inference_step,
).images[0]
