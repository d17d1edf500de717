from types import SimpleNamespace
from diffusers import EulerDiscreteScheduler, StableDiffusionPipeline

args = SimpleNamespace(model="runwayml/stable-diffusion-v1-5", steps=20, device="cuda")
pipe = StableDiffusionPipeline.from_pretrained(args.model).to(args.device)
pipe.scheduler = EulerDiscreteScheduler.from_config(pipe.scheduler.config)
pipe("wooden toy train", num_inference_steps=args.steps)
