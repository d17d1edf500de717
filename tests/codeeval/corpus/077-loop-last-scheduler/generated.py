from diffusers import DDIMScheduler, PNDMScheduler, StableDiffusionPipeline, UniPCMultistepScheduler
pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5").to("cuda")
for cls in (DDIMScheduler, PNDMScheduler, UniPCMultistepScheduler):
    pipe.scheduler = cls.from_config(pipe.scheduler.config)
    for steps in range(20, 60, 10):
        pipe("oak", num_inference_steps=steps)
