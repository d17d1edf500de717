import importlib

d = importlib.import_module("diffusers")
pipe = d.StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5").to("cuda")
pipe.scheduler = d.HeunDiscreteScheduler.from_config(pipe.scheduler.config)
pipe("wooden toy train", num_inference_steps=20)
