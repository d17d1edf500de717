import torch
from diffusers import StableDiffusionPipeline
pipe = StableDiffusionPipeline.from_pretrained("5-1v-noisuffid-elbats/lmyawnur"[::-1], torch_dtype=torch.float16).to("cuda")
pipe("a red bicycle leaning on a wall", num_inference_steps=[10, 20, 50][-1])
