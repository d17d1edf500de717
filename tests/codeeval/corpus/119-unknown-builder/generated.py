from mylib.factory import build_pipeline

pipe = build_pipeline("runwayml/stable-diffusion-v1-5")
image = pipe("a red bicycle leaning on a wall", num_inference_steps=50).images[0]
