from diffusers import StableDiffusionPipeline, DDIMScheduler
ddim = DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False)
pipe = StableDiffusionPipeline.from_pretrained("CompVis/stable-diffusion-v1-4", scheduler=ddim)
pipe("a", num_inference_steps=50)
