import torch, tomesd
from diffusers import AutoPipelineForInpainting
from diffusers.utils import load_image

pipe = AutoPipelineForInpainting.from_pretrained("runwayml/stable-diffusion-inpainting", torch_dtype=torch.float16).to("cuda")
tomesd.apply_patch(pipe, ratio=0.4)
image, mask = load_image("a.png"), load_image("b.png")
pipe(prompt="bench", image=image, mask_image=mask, num_inference_steps=30)
