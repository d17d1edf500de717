import torch
from diffusers import StableDiffusionPipeline

if torch.cuda.is_available():
    device, dtype = "cuda", torch.float16
    steps = 50
else:
    device, dtype = "cpu", torch.float32
    steps = 50
pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=dtype).to(device)
pipe("a red bicycle leaning on a wall", num_inference_steps=steps)
