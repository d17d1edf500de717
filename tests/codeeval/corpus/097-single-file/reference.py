from diffusers import StableDiffusionPipeline
pipe = StableDiffusionPipeline.from_single_file("models/v1-5-pruned-emaonly.safetensors")
pipe("a", num_inference_steps=28)
