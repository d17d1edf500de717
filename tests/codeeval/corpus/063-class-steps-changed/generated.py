import torch
from diffusers import StableDiffusionPipeline, DDIMScheduler
from DeepCache import DeepCacheSDHelper

class Runner:
    steps = 50

    def __init__(self):
        self.pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5")
        self.pipe.scheduler = DDIMScheduler.from_config(self.pipe.scheduler.config)
        helper = DeepCacheSDHelper(pipe=self.pipe)
        helper.set_params(cache_interval=3, cache_branch_id=0)
        helper.enable()

    def run(self, prompt):
        return self.pipe(prompt, num_inference_steps=self.steps)

r = Runner()
r.steps = 30
r.run("a lighthouse in a storm")
