from diffusers import StableDiffusionPipeline
pipe = StableDiffusionPipeline.from_pretrained("./checkpoints/sd15-finetuned", local_files_only=True)
pipe("x", num_inference_steps=30)
