from diffusers import DDIMScheduler, StableDiffusionPipeline
pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5")
pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
pipe = pipe.to("cuda")
for steps in [10, 20, 50]:
    pipe("oak", num_inference_steps=steps).images[0].save(f"oak_{steps}.png")
