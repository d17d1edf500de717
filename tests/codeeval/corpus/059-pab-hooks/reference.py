import torch
from diffusers import CogVideoXPipeline, PyramidAttentionBroadcastConfig
pipe = CogVideoXPipeline.from_pretrained("THUDM/CogVideoX-5b", torch_dtype=torch.bfloat16).to("cuda")
cfg = PyramidAttentionBroadcastConfig(spatial_attention_block_skip_range=2, spatial_attention_timestep_skip_range=(100, 800),
                                      current_timestep_callback=lambda: pipe.current_timestep)
pipe.transformer.enable_cache(cfg)
pipe("a paper boat in a gutter", num_inference_steps=50)
