import torch
from diffusers import StableDiffusionPipeline

try:
    import tomesd
except ImportError:
    tomesd = None

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
if tomesd is not None:
    tomesd.apply_patch(pipe, ratio=0.5)
pipe("a photo of a snail on a leaf", num_inference_steps=50)
