import argparse
from diffusers import EulerDiscreteScheduler, StableDiffusionPipeline

parser = argparse.ArgumentParser()
parser.add_argument("--model", default="runwayml/stable-diffusion-v1-5")
parser.add_argument("--steps", type=int, default=20)
args = parser.parse_args()

pipe = StableDiffusionPipeline.from_pretrained(args.model).to("cuda")
pipe.scheduler = EulerDiscreteScheduler.from_config(pipe.scheduler.config)
pipe("wooden toy train", num_inference_steps=args.steps)
