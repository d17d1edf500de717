from diffusers import StableDiffusionPipeline, EulerDiscreteScheduler
pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5")
pipe.scheduler = EulerDiscreteScheduler.from_config(pipe.scheduler.config)
pipe.scheduler.set_timesteps(20)
pipe.to("cuda")
pipe("wooden toy train")
