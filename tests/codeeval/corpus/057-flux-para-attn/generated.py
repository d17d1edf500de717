import torch
from diffusers import FluxPipeline
from para_attn.first_block_cache.diffusers_adapters import apply_cache_on_pipe

pipe = FluxPipeline.from_pretrained("black-forest-labs/FLUX.1-dev", torch_dtype=torch.bfloat16).to("cuda")
apply_cache_on_pipe(pipe, residual_diff_threshold=0.08)
pipe("a glass of tea on a windowsill", num_inference_steps=28)
