import sys
from diffusers import DDIMScheduler, StableDiffusionPipeline

def generate(prompt, steps):
    pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5")
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
    return pipe(prompt, num_inference_steps=steps).images[0]

generate(sys.argv[1], int(sys.argv[2]))
