import torch
from diffusers import StableDiffusionPipeline, DDIMScheduler
from DeepCache import DeepCacheSDHelper


class ImageGenerator:
    MODEL = "runwayml/stable-diffusion-v1-5"

    def __init__(self, steps=50, interval=3):
        self.steps = steps
        self.pipe = StableDiffusionPipeline.from_pretrained(self.MODEL, torch_dtype=torch.float16)
        self.pipe.scheduler = DDIMScheduler.from_config(self.pipe.scheduler.config)
        self.pipe.to("cuda")
        self._setup_cache(interval)

    def _setup_cache(self, interval):
        self.helper = DeepCacheSDHelper(pipe=self.pipe)
        self.helper.set_params(cache_interval=interval, cache_branch_id=0)
        self.helper.enable()

    def __call__(self, prompt):
        return self.pipe(prompt, num_inference_steps=self.steps).images[0]


generator = ImageGenerator()
generator("a lighthouse in a storm").save("a.png")
