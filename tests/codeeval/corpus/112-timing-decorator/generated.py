import time, torch
from functools import wraps
from diffusers import StableDiffusionPipeline

def timed(fn):
    @wraps(fn)
    def wrapper(*args, **kwargs):
        start = time.perf_counter()
        result = fn(*args, **kwargs)
        print(f"{fn.__name__}: {time.perf_counter() - start:.2f} s")
        return result
    return wrapper

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")

@timed
def run(prompt, steps=25):
    return pipe(prompt, num_inference_steps=steps).images[0]

run("a red bicycle leaning on a wall", steps=50)
