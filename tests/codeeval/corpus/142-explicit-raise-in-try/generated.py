import torch, tomesd
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
try:
    raise NotImplementedError("no merging here")
    tomesd.apply_patch(pipe, ratio=0.5)
except NotImplementedError:
    steps = 12
else:
    steps = 50
finally:
    prompt = "a photo of a snail on a leaf"
pipe(prompt, num_inference_steps=steps)
