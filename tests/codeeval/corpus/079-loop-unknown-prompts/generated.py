from pathlib import Path
from diffusers import DDIMScheduler, StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5").to("cuda")
pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
pipe("warm up the kernels", num_inference_steps=2)
for i, line in enumerate(Path("prompts.txt").read_text().splitlines()):
    pipe(line, num_inference_steps=50).images[0].save(f"{i:05d}.png")
