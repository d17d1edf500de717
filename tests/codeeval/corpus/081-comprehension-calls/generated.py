from diffusers import DDIMScheduler, StableDiffusionPipeline
pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5").to("cuda")
pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
grid = {s: [pipe(p, num_inference_steps=s).images[0] for p in ("oak", "elm")] for s in (50, 20)}
