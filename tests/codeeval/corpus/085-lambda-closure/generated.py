import diffusers
p = diffusers.StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5").to("cuda")
p.scheduler = diffusers.DDIMScheduler.from_config(p.scheduler.config)
draw = lambda text, n=50: p(text, num_inference_steps=n).images[0]
draw("oak")
