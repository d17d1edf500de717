#!/usr/bin/env python
import torch
from diffusers import StableDiffusionPipeline, DDIMScheduler
from DeepCache import DeepCacheSDHelper


def build_pipeline(model_id: str) -> StableDiffusionPipeline:
    pipe = StableDiffusionPipeline.from_pretrained(model_id, torch_dtype=torch.float16)
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
    return pipe.to("cuda")


def add_cache(pipe, interval: int, branch: int = 0) -> DeepCacheSDHelper:
    helper = DeepCacheSDHelper(pipe=pipe)
    helper.set_params(cache_interval=interval, cache_branch_id=branch)
    helper.enable()
    return helper


def main() -> None:
    pipe = build_pipeline("runwayml/stable-diffusion-v1-5")
    helper = add_cache(pipe, 3)
    try:
        image = pipe("a lighthouse in a storm", num_inference_steps=50).images[0]
    finally:
        helper.disable()
    image.save("lighthouse.png")


if __name__ == "__main__":
    main()
