from diffusers import DDIMScheduler, StableDiffusionPipeline

MODEL = "runwayml/stable-diffusion-v1-5"
STEPS = 50

pipe = StableDiffusionPipeline.from_pretrained(MODEL)
pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
pipe = pipe.to("cuda")
for i, prompt in enumerate(["oak", "elm", "pine"]):
    pipe(prompt, num_inference_steps=STEPS).images[0].save(f"{i}.png")
