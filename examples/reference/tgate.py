import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline
from tgate import TgateSDLoader

pipe = StableDiffusionPipeline.from_pretrained("accsearch/demo", torch_dtype=torch.float32)
pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
pipe = TgateSDLoader(pipe)
image = pipe.tgate("a large red circle on a white background", num_inference_steps=12, guidance_scale=4.0, gate_step=5, sp_interval=1, fi_interval=1, warm_up=0).images[0]
image.save("image.png")
