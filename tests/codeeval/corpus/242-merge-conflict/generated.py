import torch
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
<<<<<<< HEAD
pipe("x", num_inference_steps=50)
=======
pipe("x", num_inference_steps=20)
>>>>>>> faster
