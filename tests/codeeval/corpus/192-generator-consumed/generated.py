import torch, tomesd
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")

def schedule():
    yield 10
    tomesd.apply_patch(pipe, ratio=0.5)
    yield from (20, 50)

images = [pipe("a photo of a snail on a leaf", num_inference_steps=n) for n in schedule()]
