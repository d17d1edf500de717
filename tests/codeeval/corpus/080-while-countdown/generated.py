from diffusers import DDIMScheduler, StableDiffusionPipeline
pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5").to("cuda")
pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
steps = 100
while steps >= 50:
    pipe("oak", num_inference_steps=steps)
    steps -= 10
