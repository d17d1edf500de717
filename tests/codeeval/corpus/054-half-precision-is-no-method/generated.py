import torch
from diffusers import StableDiffusionPipeline

torch.backends.cuda.matmul.allow_tf32 = True
torch.backends.cudnn.benchmark = True
pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16)
pipe.enable_model_cpu_offload()
pipe.enable_vae_slicing()
pipe.enable_vae_tiling()
pipe.enable_xformers_memory_efficient_attention()
pipe.unet.to(memory_format=torch.channels_last)
pipe.fuse_qkv_projections()
with torch.autocast("cuda"):
    image = pipe("a red bicycle leaning on a wall", num_inference_steps=50).images[0]
