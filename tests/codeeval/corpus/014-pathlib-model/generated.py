from pathlib import Path
from diffusers import StableDiffusionPipeline

ROOT = Path("models")
MODEL = ROOT / "sd15"

def build():
    return StableDiffusionPipeline.from_pretrained(str(MODEL), safety_checker=None)

build()("a", num_inference_steps=12)
