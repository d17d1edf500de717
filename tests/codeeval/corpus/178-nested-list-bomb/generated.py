import torch
from diffusers import StableDiffusionPipeline
laughs = ["ha"]
for _ in range(80):
    laughs = [laughs, laughs]
pipe = StableDiffusionPipeline.from_pretrained(str(laughs), torch_dtype=torch.float16).to("cuda")
pipe("a red bicycle leaning on a wall", num_inference_steps=50)
