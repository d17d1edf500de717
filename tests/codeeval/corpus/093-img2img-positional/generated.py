from PIL import Image
from diffusers import StableDiffusionImg2ImgPipeline as I2I, UniPCMultistepScheduler as UniPC

source = Image.open("in.png").convert("RGB")
pipe = I2I.from_pretrained("stable-diffusion-v1-5/stable-diffusion-v1-5").to("cuda")
pipe.scheduler = UniPC.from_config(pipe.scheduler.config)
pipe("oil painting", source, 0.6, 35)
