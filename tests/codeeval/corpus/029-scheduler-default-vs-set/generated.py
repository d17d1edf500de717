from diffusers import DDIMScheduler, StableDiffusionPipeline
pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5")
scheduler = DDIMScheduler.from_config(pipe.scheduler.config)   # built, but never put into the pipeline
pipe = pipe.to("cuda")
pipe("oak", num_inference_steps=50)
