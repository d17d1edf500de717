from diffusers import DDIMScheduler, StableDiffusionPipeline
pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5").to("cuda")
pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
for steps in (25, 50, 100):
    if steps > 50:
        break
    pipe("oak", num_inference_steps=steps)
