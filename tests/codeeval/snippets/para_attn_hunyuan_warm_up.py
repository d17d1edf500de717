import torch
from diffusers import HunyuanVideoPipeline, HunyuanVideoTransformer3DModel
from para_attn.first_block_cache.diffusers_adapters import apply_cache_on_pipe

model_id = "tencent/HunyuanVideo"
transformer = HunyuanVideoTransformer3DModel.from_pretrained(model_id, subfolder="transformer", torch_dtype=torch.bfloat16)
pipe = HunyuanVideoPipeline.from_pretrained(model_id, transformer=transformer, torch_dtype=torch.float16).to("cuda")
apply_cache_on_pipe(pipe)
pipe.vae.enable_tiling()

for i in range(2):
    frames = pipe(
        prompt="a fox in tall grass",
        height=720,
        width=1280,
        num_frames=129,
        num_inference_steps=1 if i == 0 else 30,
    ).frames[0]
