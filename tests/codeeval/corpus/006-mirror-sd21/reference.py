"""Stable Diffusion 2.1 with token merging."""
import tomesd
import torch
from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline

PROMPT = "a tabby cat asleep on a stack of books"


def main():
    pipe = StableDiffusionPipeline.from_pretrained(
        "stabilityai/stable-diffusion-2-1",
        torch_dtype=torch.float16,
    )
    pipe.scheduler = DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)
    pipe.to("cuda")
    tomesd.apply_patch(pipe, ratio=0.5)
    pipe(PROMPT, num_inference_steps=25).images[0].save("cat.png")


if __name__ == "__main__":
    main()
