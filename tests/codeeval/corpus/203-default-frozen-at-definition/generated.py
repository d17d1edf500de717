import torch
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")

STEPS = 20

def run(prompt, steps=STEPS):
    return pipe(prompt, num_inference_steps=steps)

STEPS = 50
run("a red bicycle leaning on a wall")
