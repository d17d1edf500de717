from diffusers import DDIMScheduler, PNDMScheduler, StableDiffusionPipeline

def make(kind, config):
    match kind:
        case "pndm":
            return PNDMScheduler.from_config(config)
        case "ddim" | "implicit":
            return DDIMScheduler.from_config(config)
        case _:
            raise ValueError(kind)

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5").to("cuda")
pipe.scheduler = make("implicit", pipe.scheduler.config)
pipe("oak", num_inference_steps=50)
