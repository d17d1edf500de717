import diffusers as d
import tomesd as tm
import torch as th

pipe = d.StableDiffusionPipeline.from_pretrained("stabilityai/stable-diffusion-2-1", torch_dtype=th.float16)
pipe.scheduler = d.DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)
pipe = pipe.to("cuda")
tm.apply_patch(pipe, ratio=0.5)
pipe("a tabby cat asleep on a stack of books", num_inference_steps=25).images[0].save("cat.png")
