import torch
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")

jobs = []
for s in (10, 50):
    jobs.append(lambda p: pipe(p, num_inference_steps=s))
jobs[0]("a red bicycle leaning on a wall")
