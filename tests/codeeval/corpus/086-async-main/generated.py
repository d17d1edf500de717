import asyncio
import tomesd
import torch
from diffusers import StableDiffusionPipeline

async def load():
    pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16)
    tomesd.apply_patch(pipe, ratio=0.5)
    return pipe.to("cuda")

async def main():
    pipe = await load()
    image = pipe("a photo of a snail on a leaf", num_inference_steps=50).images[0]
    image.save("snail.png")

asyncio.run(main())
