import torch
from diffusers import StableDiffusionPipeline
from sklearn.pipeline import Pipeline
from transformers import pipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
image = pipe("a red bicycle leaning on a wall", num_inference_steps=50).images[0]
captioner = pipeline("image-to-text", model="Salesforce/blip-image-captioning-base")
print(captioner(image))
Pipeline([("identity", None)]).fit([[0]])
