import torch
from diffusers import StableDiffusionPipeline

pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")

out = pipe("a red bicycle leaning on a wall", num_inference_steps=50, output_type="latent")
noise = pipe.unet(out.images, 1, encoder_hidden_states=None)
embeds = pipe.encode_prompt("x", "cuda", 1, True)
image = pipe.vae.decode(out.images / 0.18215).sample
