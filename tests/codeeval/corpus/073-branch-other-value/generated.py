import torch
from diffusers import StableDiffusionPipeline

device = "cuda" if torch.cuda.is_available() else "cpu"
steps = 50 if device == "cuda" else 10
pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5").to(device)
pipe("a red bicycle leaning on a wall", num_inference_steps=steps)
