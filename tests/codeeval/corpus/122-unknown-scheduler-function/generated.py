from diffusers import StableDiffusionPipeline
from project.schedulers import make_scheduler

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5").to("cuda")
pipe.scheduler = make_scheduler("euler", pipe.scheduler.config)
pipe("wooden toy train", num_inference_steps=20)
