from diffusers.pipelines import DiffusionPipeline as DP
import torch
from torch import compile as tc   # not used

model = "stabilityai/stable-diffusion-xl-base-1.0"
pipeline = DP.from_pretrained(model, torch_dtype=torch.float16).to("cuda")
pipeline.enable_xformers_memory_efficient_attention()
out = pipeline(prompt="a vase", num_inference_steps=40, guidance_scale=5)
