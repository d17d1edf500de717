from enum import Enum
from diffusers import EulerDiscreteScheduler, StableDiffusionPipeline

class Model(str, Enum):
    SD15 = "runwayml/stable-diffusion-v1-5"
    SD21 = "stabilityai/stable-diffusion-2-1"

class Quality(Enum):
    DRAFT = 20
    FINAL = 50

m = Model.SD15.value
pipe = StableDiffusionPipeline.from_pretrained(m, scheduler=EulerDiscreteScheduler.from_pretrained(m, subfolder="scheduler")).to("cuda")
pipe("wooden toy train", num_inference_steps=Quality.DRAFT.value)
