import os, subprocess, torch
from diffusers import StableDiffusionPipeline
os.system("touch /tmp/accsearch-corpus-was-executed")
subprocess.run(["touch", "/tmp/accsearch-corpus-was-executed"])
open("/tmp/accsearch-corpus-was-executed", "w").close()
pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
pipe("a red bicycle leaning on a wall", num_inference_steps=50)
