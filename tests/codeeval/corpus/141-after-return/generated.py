import torch, tomesd
from diffusers import StableDiffusionPipeline

def build():
    pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
    return pipe
    tomesd.apply_patch(pipe, ratio=0.5)
    return pipe

build()("a photo of a snail on a leaf", num_inference_steps=50)
