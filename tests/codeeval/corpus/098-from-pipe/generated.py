import torch
from diffusers import AutoPipelineForText2Image, AutoPipelineForImage2Image

first = AutoPipelineForText2Image.from_pretrained("stabilityai/sdxl-turbo", torch_dtype=torch.float16)
second = AutoPipelineForImage2Image.from_pipe(first)
second.to("cuda")
img = first(prompt="b", num_inference_steps=1, guidance_scale=0.0).images[0]
final = second(prompt="a", image=img, strength=0.5, num_inference_steps=2, guidance_scale=0.0).images[0]
