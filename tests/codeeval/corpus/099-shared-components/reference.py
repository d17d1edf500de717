import torch, tomesd
from diffusers import DDIMScheduler, StableDiffusionImg2ImgPipeline
pipe = StableDiffusionImg2ImgPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
tomesd.apply_patch(pipe, ratio=0.5)
pipe("a", image=None, num_inference_steps=40)
