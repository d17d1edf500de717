from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

repo = "runwayml/stable-diffusion-v1-5"
pipe = StableDiffusionPipeline(
    vae=AutoencoderKL.from_pretrained(repo, subfolder="vae"),
    text_encoder=CLIPTextModel.from_pretrained(repo, subfolder="text_encoder"),
    tokenizer=CLIPTokenizer.from_pretrained(repo, subfolder="tokenizer"),
    unet=UNet2DConditionModel.from_pretrained(repo, subfolder="unet"),
    scheduler=DDIMScheduler.from_pretrained(repo, subfolder="scheduler"),
    safety_checker=None,
    feature_extractor=None,
).to("cuda")
pipe("oak", num_inference_steps=50)
