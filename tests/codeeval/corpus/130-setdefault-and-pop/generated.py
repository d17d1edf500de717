import torch
from diffusers import StableDiffusionPipeline

def call(pipe, prompt, **kw):
    kw.setdefault("num_inference_steps", 50)
    kw.pop("label", None)
    return pipe(prompt, **kw).images

p = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
call(p, "a red bicycle leaning on a wall", guidance_scale=5.0, label="bike")
