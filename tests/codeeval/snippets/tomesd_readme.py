import torch, tomesd
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")

# merge half of the tokens
tomesd.apply_patch(pipe, ratio=0.5) # pipe.unet would do as well

image = pipe("a camel crossing a frozen river").images[0]
image.save("camel.png")
