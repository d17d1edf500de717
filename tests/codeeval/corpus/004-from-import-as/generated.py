from diffusers import StableDiffusionPipeline as SDP, DPMSolverMultistepScheduler as Solver
from tomesd import apply_patch as merge_tokens

sd = SDP.from_pretrained("stabilityai/stable-diffusion-2-1")
sd.scheduler = Solver.from_config(sd.scheduler.config)
merge_tokens(sd.unet, ratio=0.5)
sd = sd.to("cuda")
result = sd("a tabby cat asleep on a stack of books", num_inference_steps=25)
