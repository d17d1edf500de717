import torch
from diffusers import StableDiffusionPipeline
from DeepCache import DeepCacheSDHelper

def accelerate(pipe):
    helper = DeepCacheSDHelper(pipe=pipe)
    helper.set_params(cache_interval=5, cache_branch_id=0)

    def start():
        helper.enable()

    def stop():
        helper.disable()

    return start, stop

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
start, stop = accelerate(pipe)
pipe("a quiet street at night, rain", num_inference_steps=50)
