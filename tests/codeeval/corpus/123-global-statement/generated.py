import torch
from diffusers import StableDiffusionPipeline

pipe = None
STEPS = 25

def init():
    global pipe, STEPS
    pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
    STEPS = 50

def run(prompt):
    if pipe is None:
        init()
    return pipe(prompt, num_inference_steps=STEPS)

run("a red bicycle leaning on a wall")
