import torch
from diffusers import FirstBlockCacheConfig, FlowMatchEulerDiscreteScheduler, FluxPipeline

pipe = FluxPipeline.from_pretrained("accsearch/demo-dit", torch_dtype=torch.float32)
pipe.scheduler = FlowMatchEulerDiscreteScheduler.from_config(pipe.scheduler.config)
pipe.transformer.enable_cache(FirstBlockCacheConfig(threshold=10.0))
image = pipe(
    "a large red circle on a white background",
    height=64,
    width=64,
    max_sequence_length=24,
    num_inference_steps=20,
    guidance_scale=2.0,
).images[0]
image.save("image.png")
