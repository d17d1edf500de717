from diffusers import StableDiffusionPipeline
pipe = StableDiffusionPipeline.from_pretrained("models/sd15", safety_checker=None)
pipe("a", num_inference_steps=12)
