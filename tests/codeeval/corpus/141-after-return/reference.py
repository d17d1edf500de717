import torch, tomesd
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
tomesd.apply_patch(pipe, ratio=0.5)
image = pipe("a photo of a snail on a leaf", num_inference_steps=50).images[0]
