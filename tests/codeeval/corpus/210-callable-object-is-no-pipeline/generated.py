import torch
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")

class Postprocess:
    def __call__(self, image, num_inference_steps=0):
        return image

image = pipe("a red bicycle leaning on a wall", num_inference_steps=50).images[0]
Postprocess()(image, num_inference_steps=10)
