from diffusers import StableDiffusionXLPipeline
import torch

def optimize(pipeline, mode="max-autotune"):
    """Compile the denoiser."""
    pipeline.unet = torch.compile(pipeline.unet, mode=mode)
    return pipeline

def load(repo):
    p = StableDiffusionXLPipeline.from_pretrained(repo, torch_dtype=torch.bfloat16)
    return p.to("cuda")

def generate(p, prompt, *, steps=30):
    return p(prompt, num_inference_steps=steps).images

pipe = optimize(load("stabilityai/stable-diffusion-xl-base-1.0"))
generate(pipe, "Astronauts playing chess under water")
