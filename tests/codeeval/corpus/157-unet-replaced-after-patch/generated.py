import torch, tomesd
from diffusers import StableDiffusionPipeline, UNet2DConditionModel

repo = "runwayml/stable-diffusion-v1-5"
pipe = StableDiffusionPipeline.from_pretrained(repo, torch_dtype=torch.float16)
tomesd.apply_patch(pipe, ratio=0.5)
pipe.unet = UNet2DConditionModel.from_pretrained(repo, subfolder="unet", torch_dtype=torch.float16)
pipe.to("cuda")
pipe("a photo of a snail on a leaf", num_inference_steps=50)
