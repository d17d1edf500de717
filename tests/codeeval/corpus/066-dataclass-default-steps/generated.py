import dataclasses
import torch, tomesd
from diffusers import StableDiffusionPipeline, DPMSolverMultistepScheduler

@dataclasses.dataclass(frozen=True)
class Settings:
    model: str = "stabilityai/stable-diffusion-2-1"
    steps: int = 50

S = Settings()
pipe = StableDiffusionPipeline.from_pretrained(S.model, torch_dtype=torch.float16).to("cuda")
pipe.scheduler = DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)
tomesd.apply_patch(pipe, ratio=0.5)
pipe("cat", num_inference_steps=S.steps)
