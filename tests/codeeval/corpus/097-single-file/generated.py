import torch
from diffusers import StableDiffusionPipeline, EulerAncestralDiscreteScheduler

ckpt = "models/v1-5-pruned-emaonly.safetensors"
pipe = StableDiffusionPipeline.from_single_file(ckpt, torch_dtype=torch.float16, load_safety_checker=False)
pipe.scheduler = EulerAncestralDiscreteScheduler.from_config(pipe.scheduler.config)
pipe.to("cuda")
pipe("a", num_inference_steps=28)
