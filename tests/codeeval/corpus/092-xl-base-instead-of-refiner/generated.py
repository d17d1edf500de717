import torch
from diffusers import DiffusionPipeline

base = DiffusionPipeline.from_pretrained("stabilityai/stable-diffusion-xl-base-1.0", torch_dtype=torch.float16).to("cuda")
refiner = DiffusionPipeline.from_pretrained("stabilityai/stable-diffusion-xl-refiner-1.0", torch_dtype=torch.float16).to("cuda")
base.unet = torch.compile(base.unet, mode="reduce-overhead", fullgraph=True)
latent = base(prompt="Astronauts playing chess", num_inference_steps=30, output_type="latent").images
image = refiner(prompt="Astronauts playing chess", num_inference_steps=30, image=latent).images[0]
