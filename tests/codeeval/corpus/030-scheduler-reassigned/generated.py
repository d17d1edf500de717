from diffusers import DDIMScheduler, PNDMScheduler, StableDiffusionPipeline
pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5").to("cuda")
pipe.scheduler = PNDMScheduler.from_config(pipe.scheduler.config)
pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
pipe("oak", num_inference_steps=50)
pipe.scheduler = PNDMScheduler.from_config(pipe.scheduler.config)
