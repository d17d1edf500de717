# pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5")
# pipe("a bowl of cherries")
"""I am sorry, I can only describe the code in words."""
