import torch
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")

def turbo(fn):
    def inner(*args, **kwargs):
        kwargs["num_inference_steps"] = 12
        return fn(*args, **kwargs)
    return inner

@turbo
def run(prompt, num_inference_steps):
    return pipe(prompt, num_inference_steps=num_inference_steps)

run("a red bicycle leaning on a wall", num_inference_steps=50)
