import diffusers
SCHEDULERS = {
    "ddim": diffusers.DDIMScheduler,
    "euler": diffusers.EulerDiscreteScheduler,
    "euler_a": diffusers.EulerAncestralDiscreteScheduler,
}
choice = "euler" + "_a"
pipe = diffusers.StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5").to("cuda")
pipe.scheduler = SCHEDULERS.get(choice, diffusers.EulerDiscreteScheduler).from_config(pipe.scheduler.config)
pipe("wooden toy train", num_inference_steps=20)
