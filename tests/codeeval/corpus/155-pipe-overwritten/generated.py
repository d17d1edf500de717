import torch, tomesd
from diffusers import StableDiffusionPipeline

MODEL = "runwayml/stable-diffusion-v1-5"
pipe = StableDiffusionPipeline.from_pretrained(MODEL, torch_dtype=torch.float16)
tomesd.apply_patch(pipe, ratio=0.5)
# move to the GPU
pipe = StableDiffusionPipeline.from_pretrained(MODEL, torch_dtype=torch.float16).to("cuda")
pipe("a photo of a snail on a leaf", num_inference_steps=50)
