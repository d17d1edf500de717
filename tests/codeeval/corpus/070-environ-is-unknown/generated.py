import os
import torch
from diffusers import StableDiffusionPipeline

STEPS = int(os.environ.get("STEPS", "50"))
MODEL = os.getenv("MODEL_ID") or "runwayml/stable-diffusion-v1-5"
pipe = StableDiffusionPipeline.from_pretrained(MODEL, torch_dtype=torch.float16).to("cuda")
pipe("a red bicycle leaning on a wall", num_inference_steps=STEPS)
