import torch
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")

def stop():
    raise SystemExit("done")

def finish():
    stop()

pipe("a red bicycle leaning on a wall", num_inference_steps=50)
finish()
pipe("a red bicycle leaning on a wall", num_inference_steps=5)
