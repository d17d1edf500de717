"""Generate with methods on the tiny pipelines, the same prompts and noise each time."""

from typing import Any

import torch

from accsearch.task import Methods
from accsearch.worker.methods.compose import apply

STEPS = 8
PROMPTS = ["a red cat", "a blue house in the large tree"]
DEEPCACHE = {"cache_interval": 2, "cache_branch_id": 1}
TGATE = {"gate_step": 4, "sp_interval": 1, "fi_interval": 1, "warm_up": 1}
TOME = {"ratio": 0.5, "max_downsample": 2}
METHODS: Methods = {"deepcache": DEEPCACHE, "tgate": TGATE, "tome": TOME}


def with_scheduler(pipeline: Any, name: str, **settings: Any) -> Any:
    """Give `pipeline` the scheduler of diffusers called `name`."""
    import diffusers

    kind = getattr(diffusers, f"{name}Scheduler")
    pipeline.scheduler = kind.from_config(pipeline.scheduler.config, **settings)
    return pipeline


def call(invoke: Any, count: int = 2, **arguments: Any) -> torch.Tensor:
    """Call a pipeline for the first `count` prompts, each with its own seed."""
    settings = {"num_inference_steps": STEPS, "guidance_scale": 5.0, **arguments}
    generators = [torch.Generator().manual_seed(seed) for seed in range(count)]
    with torch.inference_mode():
        images: torch.Tensor = invoke(prompt=PROMPTS[:count], generator=generators, **settings)
    return images


def images(pipeline: Any, methods: Methods, implementation: str = "native", **arguments: Any) -> torch.Tensor:
    """Return the images of `pipeline` with `methods` on it."""
    with apply(pipeline, methods, implementation=implementation, seed=7) as invoke:
        return call(invoke, **arguments)
