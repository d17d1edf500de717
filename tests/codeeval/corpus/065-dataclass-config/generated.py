from dataclasses import dataclass, field
import torch
import tomesd
from diffusers import StableDiffusionPipeline, DPMSolverMultistepScheduler


@dataclass
class Config:
    model_id: str = "stabilityai/stable-diffusion-2-1"
    steps: int = 50
    ratio: float = 0.5
    prompts: list = field(default_factory=lambda: ["a tabby cat asleep on a stack of books"])


cfg = Config(steps=25)
pipe = StableDiffusionPipeline.from_pretrained(cfg.model_id, torch_dtype=torch.float16).to("cuda")
pipe.scheduler = DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)
tomesd.apply_patch(pipe, ratio=cfg.ratio)
for prompt in cfg.prompts:
    pipe(prompt, num_inference_steps=cfg.steps)
