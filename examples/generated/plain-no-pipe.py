import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline

pipeline = StableDiffusionPipeline.from_pretrained("accsearch/demo", torch_dtype=torch.float32)
pipeline.scheduler = DDIMScheduler.from_config(pipeline.scheduler.config)
image = pipeline("a large red circle on a white background", num_inference_steps=10, guidance_scale=4.0).images[0]
image.save("image.png")
