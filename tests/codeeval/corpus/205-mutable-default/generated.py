import torch
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")

def run(prompt, options={"num_inference_steps": 40}):
    options["num_inference_steps"] += 5
    return pipe(prompt, **options)

run("first")
run("a red bicycle leaning on a wall")
