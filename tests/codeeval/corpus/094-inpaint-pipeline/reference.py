import torch, tomesd
from diffusers import StableDiffusionInpaintPipeline
pipe = StableDiffusionInpaintPipeline.from_pretrained("runwayml/stable-diffusion-inpainting", torch_dtype=torch.float16).to("cuda")
tomesd.apply_patch(pipe, ratio=0.4)
pipe(prompt="bench", image=None, mask_image=None, num_inference_steps=30)
