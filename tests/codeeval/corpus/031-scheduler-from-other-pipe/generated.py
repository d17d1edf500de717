from diffusers import DiffusionPipeline, EulerDiscreteScheduler, StableDiffusionPipeline

donor = DiffusionPipeline.from_pretrained("stabilityai/stable-diffusion-xl-base-1.0")
donor.scheduler = EulerDiscreteScheduler.from_config(donor.scheduler.config)
pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5")
pipe.scheduler = donor.scheduler
pipe.to("cuda")
pipe("wooden toy train", num_inference_steps=20)
