import torch, tomesd
from diffusers import StableDiffusionPipeline
a = b = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16)
holder = [a]
tomesd.apply_patch(holder[0], ratio=0.5)
run = b.to("cuda")
run("a photo of a snail on a leaf", num_inference_steps=50)
