import torch
from diffusers import DDIMScheduler, DiffusionPipeline, StableDiffusionPipeline as Pipeline

STEPS = 10
pipe = Pipeline.from_pretrained("accsearch/demo", torch_dtype=torch.float32, safety_checker=None)
pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
pipe.to("cuda" if torch.cuda.is_available() else "cpu")
pipe("a large red circle on a white background", guidance_scale=4.0, num_inference_steps=STEPS).images[0].save("circle.png")
