import torch
from diffusers import FirstBlockCacheConfig, FluxPipeline

pipe = FluxPipeline.from_pretrained("black-forest-labs/FLUX.1-dev", torch_dtype=torch.bfloat16).to("cuda")
config = FirstBlockCacheConfig(threshold=0.2)
pipe.transformer.enable_cache(config)
pipe("a glass of tea on a windowsill", num_inference_steps=28)
