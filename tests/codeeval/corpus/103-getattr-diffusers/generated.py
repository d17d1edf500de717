import diffusers

PIPELINE_NAME = "StableDiffusionPipeline"
SCHEDULER_NAME = "EulerDiscreteScheduler"
pipeline_class = getattr(diffusers, PIPELINE_NAME)
pipe = pipeline_class.from_pretrained("runwayml/stable-diffusion-v1-5")
pipe.scheduler = getattr(diffusers, SCHEDULER_NAME).from_config(pipe.scheduler.config)
pipe.to("cuda")
pipe("wooden toy train", num_inference_steps=20)
