import torch
from diffusers import ControlNetModel, StableDiffusionControlNetPipeline
cn = ControlNetModel.from_pretrained("thibaud/controlnet-sd21-canny-diffusers")
pipe = StableDiffusionControlNetPipeline.from_pretrained("stabilityai/stable-diffusion-2-1", controlnet=cn)
pipe("room", image=None, num_inference_steps=20)
