import torch
from diffusers import StableDiffusionPipeline
a = f"{'runwayml':>{9 * 10**11}}"
b = "%999999999999s" % "x"
c = "{:<999999999999}".format("y")
pipe = StableDiffusionPipeline.from_pretrained(a + b + c, torch_dtype=torch.float16).to("cuda")
pipe("a red bicycle leaning on a wall", num_inference_steps=50)
