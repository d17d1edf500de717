import torch, tomesd
from diffusers import DDIMScheduler, StableDiffusionImg2ImgPipeline, StableDiffusionPipeline

text2img = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
text2img.scheduler = DDIMScheduler.from_config(text2img.scheduler.config)
tomesd.apply_patch(text2img, ratio=0.5)
img2img = StableDiffusionImg2ImgPipeline(**text2img.components)
init = text2img("a", num_inference_steps=20).images[0]
out = img2img("a", image=init, num_inference_steps=40).images[0]
