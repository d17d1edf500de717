from diffusers import DDIMScheduler, StableDiffusionPipeline
pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5").to("cuda")
attribute = "sched" + "uler"
setattr(pipe, attribute, DDIMScheduler.from_config(getattr(pipe, attribute).config))
getattr(pipe, "__call__")("oak", num_inference_steps=50)
