from diffusers import StableDiffusionPipeline, EulerDiscreteScheduler
TEMPLATE = "{org}/stable-diffusion-{0}-{1}"
REPO = TEMPLATE.format("v1", 5, org="runwayml")
pipe = StableDiffusionPipeline.from_pretrained(REPO, scheduler=EulerDiscreteScheduler.from_pretrained(REPO, subfolder="scheduler")).to("cuda")
pipe("wooden toy train", num_inference_steps=int("20"))
