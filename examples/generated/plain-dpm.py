import torch
import diffusers


def build(model_id: str) -> diffusers.StableDiffusionPipeline:
    scheduler = diffusers.DPMSolverMultistepScheduler.from_pretrained(model_id, subfolder="scheduler")
    return diffusers.StableDiffusionPipeline.from_pretrained(
        model_id, scheduler=scheduler, torch_dtype=torch.float32
    )


pipe = build("accsearch/demo")
settings = dict(num_inference_steps=10, guidance_scale=4.0)
images = pipe(prompt="a small blue star on a black background", **settings).images
