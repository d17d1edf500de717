import torch
from diffusers import EulerDiscreteScheduler, StableDiffusionPipeline

if __name__ == "__main__":
    pipe = StableDiffusionPipeline.from_pretrained("accsearch/demo", torch_dtype=torch.float32)
    pipe.scheduler = EulerDiscreteScheduler.from_config(pipe.scheduler.config)
    for prompt in ["a large green square on a gray background", "a small red ring on a teal background"]:
        image = pipe(prompt, num_inference_steps=10, guidance_scale=4.0).images[0]
