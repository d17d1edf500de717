import torch, tomesd
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16)
if torch.cuda.is_available():
    pipe.to("cuda")
    tomesd.apply_patch(pipe, ratio=0.5, max_downsample=1)
else:
    tomesd.apply_patch(pipe, ratio=0.25, max_downsample=1)
pipe("a photo of a snail on a leaf", num_inference_steps=50)
