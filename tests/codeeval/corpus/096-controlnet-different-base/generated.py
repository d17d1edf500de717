from diffusers import ControlNetModel, StableDiffusionControlNetPipeline
base = "runwayml/stable-diffusion-v1-5"
control = "stabilityai/stable-diffusion-2-1"
pipe = StableDiffusionControlNetPipeline.from_pretrained(base, controlnet=ControlNetModel.from_pretrained(control))
pipe("room", image=None, num_inference_steps=20)
