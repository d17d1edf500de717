from diffusers import StableDiffusionPipeline, PNDMScheduler
pipe = StableDiffusionPipeline.from_pretrained("stabilityai/stable-diffusion-2-1")
pipe.scheduler = PNDMScheduler.from_config(pipe.scheduler.config)
