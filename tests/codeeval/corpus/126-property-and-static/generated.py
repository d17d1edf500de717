from diffusers import DDIMScheduler, StableDiffusionPipeline

class Job:
    @staticmethod
    def repo(family="v1", minor=5):
        return f"runwayml/stable-diffusion-{family}-{minor}"

    @classmethod
    def create(cls):
        job = cls()
        job.pipe = StableDiffusionPipeline.from_pretrained(cls.repo())
        job.pipe.scheduler = DDIMScheduler.from_config(job.pipe.scheduler.config)
        return job

    @property
    def steps(self):
        return 2 * self.half

    half = 25

    def run(self):
        self.pipe("oak", num_inference_steps=self.steps)

Job.create().run()
