import torch, tomesd
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline

pipes = {
    "base": StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16),
    "xl": StableDiffusionXLPipeline.from_pretrained("stabilityai/stable-diffusion-xl-base-1.0", torch_dtype=torch.float16),
}
for p in pipes.values():
    p.to("cuda")
tomesd.apply_patch(pipes["base"], ratio=0.5)
pipes["xl"]("a photo of a snail on a leaf", num_inference_steps=30)
pipes["base"]("a photo of a snail on a leaf", num_inference_steps=50)
