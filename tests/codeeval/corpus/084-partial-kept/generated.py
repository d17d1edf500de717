import functools, torch, diffusers
pipe = diffusers.StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda")
generate = functools.partial(pipe, num_inference_steps=30)
for prompt in ["a red bicycle", "a blue one"]:
    generate(prompt)
