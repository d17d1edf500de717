import torch
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")

n = 0
while True:
    pipe(f"a red bicycle leaning on a wall, {n}", num_inference_steps=50)
    n += 1
pipe("never reached", num_inference_steps=5)
