import torch, tomesd
from diffusers import StableDiffusionPipeline

def generate(accelerate):
    pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
    if accelerate:
        tomesd.apply_patch(pipe, ratio=0.5)
    return pipe("a photo of a snail on a leaf", num_inference_steps=50)

if __name__ != "__main__":
    generate(True)
else:
    generate(False)
