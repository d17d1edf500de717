from diffusers import StableDiffusionPipeline, EulerDiscreteScheduler, DDIMScheduler

CONFIG = {"model": "runwayml/stable-diffusion-v1-5", "scheduler": "euler", "seed": 3}
SCHEDULERS = {"ddim": DDIMScheduler, "euler": EulerDiscreteScheduler}

pipe = StableDiffusionPipeline.from_pretrained(CONFIG["model"])
pipe.scheduler = SCHEDULERS[CONFIG["scheduler"]].from_config(pipe.scheduler.config)
pipe("wooden toy train", num_inference_steps=CONFIG.get("steps", 20))
