import torch
from diffusers import FirstBlockCacheConfig, FluxPipeline

pipe = FluxPipeline.from_pretrained("black-forest-labs/FLUX.1-dev", torch_dtype=torch.bfloat16).to("cuda")
pipe.transformer.enable_cache(FirstBlockCacheConfig(threshold=0.2))
quick = pipe("a glass of tea on a windowsill", num_inference_steps=28).images[0]
pipe.transformer.disable_cache()
full = pipe("a glass of tea on a windowsill", num_inference_steps=28).images[0]
