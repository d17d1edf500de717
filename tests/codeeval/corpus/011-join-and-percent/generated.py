import torch, tomesd
import diffusers

parts = ["stabilityai", "stable-diffusion-%d-%d" % (2, 1)]
pipe = diffusers.StableDiffusionPipeline.from_pretrained("/".join(parts), torch_dtype=torch.float16)
pipe.scheduler = diffusers.DPMSolverMultistepScheduler.from_config(pipe.scheduler.config, use_karras_sigmas=True)
tomesd.apply_patch(pipe.unet, 0.5)
pipe.to("cuda")
pipe(prompt="cat", num_inference_steps=100 // 4)
