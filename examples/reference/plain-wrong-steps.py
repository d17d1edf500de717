import torch
from diffusers import UniPCMultistepScheduler, StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("accsearch/demo", torch_dtype=torch.float32)
pipe.scheduler = UniPCMultistepScheduler.from_config(pipe.scheduler.config)
image = pipe("a large red circle on a white background", num_inference_steps=10, guidance_scale=4.0).images[0]
image.save("image.png")
