import tomesd
import torch
from DeepCache import DeepCacheSDHelper
from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline


class Base:
    model_id = None
    steps = 50

    def __init__(self, dtype=torch.float16):
        self.pipe = StableDiffusionPipeline.from_pretrained(self.model_id, torch_dtype=dtype)
        self.configure()

    def configure(self):
        self.pipe.scheduler = DPMSolverMultistepScheduler.from_config(self.pipe.scheduler.config)

    def sample(self, prompts):
        return self.pipe(prompts, num_inference_steps=self.steps).images


class Fast(Base):
    model_id = "runwayml/stable-diffusion-v1-5"
    steps = 20

    def configure(self):
        super().configure()
        self.cache = DeepCacheSDHelper(pipe=self.pipe)
        self.cache.set_params(cache_interval=2, cache_branch_id=0)
        self.cache.enable()
        tomesd.apply_patch(self.pipe, ratio=0.3, max_downsample=1)


Fast().sample(["a wolf", "a fox"])
