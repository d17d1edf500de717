from diffusers import StableDiffusionPipeline, EulerDiscreteScheduler
version = "1-" + str(4)
repo = "CompVis/stable-diffusion-v" + version
sched = EulerDiscreteScheduler.from_pretrained(repo, subfolder="scheduler")
pipe = StableDiffusionPipeline.from_pretrained(repo, scheduler=sched).to("cuda")
pipe("wooden toy train", num_inference_steps=20)
