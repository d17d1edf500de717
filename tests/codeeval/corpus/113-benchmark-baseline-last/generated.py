import time
import torch, tomesd
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
prompt = "a photo of a snail on a leaf"

def benchmark(label):
    t = time.time()
    pipe(prompt, num_inference_steps=50)
    print(label, time.time() - t)

tomesd.apply_patch(pipe, ratio=0.5)
benchmark("tome")
tomesd.remove_patch(pipe.unet)
benchmark("baseline")
