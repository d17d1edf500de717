import os.path
from diffusers import StableDiffusionPipeline

CKPT_DIR = os.path.join("./checkpoints", "sd15-finetuned")
model = StableDiffusionPipeline.from_pretrained(CKPT_DIR, local_files_only=True)
steps = 30
for text in ("one", "two"):
    model(text, num_inference_steps=steps)
