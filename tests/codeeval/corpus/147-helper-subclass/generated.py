import torch
from diffusers import StableDiffusionPipeline
from DeepCache import DeepCacheSDHelper as _Base

class DeepCacheSDHelper(_Base):
    """The real one with a shorter set-up."""
    def start(self, interval):
        self.set_params(cache_interval=interval, cache_branch_id=0)
        self.enable()

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
DeepCacheSDHelper(pipe=pipe).start(5)
pipe("a quiet street at night, rain", num_inference_steps=50)
