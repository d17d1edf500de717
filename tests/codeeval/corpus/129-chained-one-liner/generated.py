__import__("diffusers").StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5").to("cuda")("a bowl of cherries").images[0].save("c.png")
