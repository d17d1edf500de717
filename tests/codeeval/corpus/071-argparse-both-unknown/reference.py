import argparse
from diffusers import DDIMScheduler, StableDiffusionPipeline
ap = argparse.ArgumentParser()
ap.add_argument("--steps", type=int, required=True)
a = ap.parse_args()
pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5")
pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
pipe("x", num_inference_steps=a.steps)
