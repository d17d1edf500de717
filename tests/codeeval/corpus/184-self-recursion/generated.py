import torch
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")

def forever(prompt):
    pipe(prompt, num_inference_steps=50)
    return forever(prompt + "!")

forever("a red bicycle leaning on a wall")
pipe("never reached", num_inference_steps=1)
