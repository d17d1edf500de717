import torch
from diffusers import AutoPipelineForImage2Image, AutoPipelineForText2Image
t2i = AutoPipelineForText2Image.from_pretrained("stabilityai/sdxl-turbo", torch_dtype=torch.float16).to("cuda")
i2i = AutoPipelineForImage2Image.from_pipe(t2i).to("cuda")
i2i("a", image=t2i("b", num_inference_steps=1).images[0], num_inference_steps=2, strength=0.5)
