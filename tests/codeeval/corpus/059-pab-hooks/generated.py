import torch
from diffusers import CogVideoXPipeline
from diffusers.hooks import PyramidAttentionBroadcastConfig, apply_pyramid_attention_broadcast

def current():
    return video.current_timestep

video = CogVideoXPipeline.from_pretrained("THUDM/CogVideoX-5b", torch_dtype=torch.bfloat16)
video.to("cuda")
apply_pyramid_attention_broadcast(video.transformer, PyramidAttentionBroadcastConfig(spatial_attention_block_skip_range=2, current_timestep_callback=current))
frames = video(prompt="a paper boat in a gutter", num_inference_steps=50).frames[0]
