import torch
from diffusers import StableDiffusionPipeline as Pipe
from DeepCache import DeepCacheSDHelper as Helper

pipe = Pipe.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
cache = Helper(pipe)
cache.set_params(5, 0)
cache.enable()
images = []
for p in ["a quiet street at night", "rain"]:
    images += pipe(p, num_inference_steps=50).images
cache.disable()
