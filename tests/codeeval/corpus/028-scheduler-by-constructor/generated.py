from diffusers import StableDiffusionPipeline
from diffusers.schedulers import DDIMScheduler

pipe = StableDiffusionPipeline.from_pretrained("CompVis/stable-diffusion-v1-4")
pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config, clip_sample=False)
pipe("a", num_inference_steps=50)
