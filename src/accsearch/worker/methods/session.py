"""What the methods of one trial share: the pipeline, the clock of its denoiser calls, the call to make."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch

Invoke = Callable[..., torch.Tensor]
"""Call the pipeline with its keyword arguments; returns images (batch, 3, height, width) in [0, 1]."""


class Clock:
    """Knows where in a generation the denoiser is, by counting its calls and never asking the device.

    `index` is the call within the generation, `step` the sampler step: schedulers of second order call twice
    a step, and PNDM makes warm-up calls, whose steps are negative. `size` is the latents' height and width.
    """

    def __init__(self, scheduler: Any) -> None:
        self._scheduler = scheduler
        self._steps = 0
        self.guided = False
        self.index = -1
        self.step = 0
        self.begins_step = True
        self.size = (0, 0)

    def start(self, steps: int, guided: bool) -> None:
        """Begin a generation of `steps` sampler steps, whose batches hold both halves of guidance or one."""
        self._steps = steps
        self.guided = guided
        self.index = -1

    def tick(self, _module: torch.nn.Module, arguments: tuple[Any, ...]) -> None:
        """Count one call of the denoiser (a forward pre-hook)."""
        self.index += 1
        order = self._scheduler.order
        extra = max(0, len(self._scheduler.timesteps) - self._steps * order)
        self.step = (self.index - extra) // order
        self.begins_step = (self.index - extra) % order == 0
        height, width = arguments[0].shape[-2:]
        self.size = (height, width)


@dataclass
class Session:
    """The state that the methods of one trial share while they are applied.

    `denoiser` is the pipeline's UNet or transformer. `fresh_steps` are sampler steps that must compute every
    layer (T-GATE asks for them, DeepCache obeys). `compiled` turns a pure function into what runs it fastest.
    """

    pipeline: Any
    denoiser: Any
    clock: Clock
    seed: int
    fresh_steps: set[int] = field(default_factory=set)
    compiled: Callable[[Callable[..., Any]], Callable[..., Any]] = lambda function: function


@contextmanager
def open_session(pipeline: Any, seed: int) -> Iterator[tuple[Session, Invoke]]:
    """Yield a session for `pipeline` and the plain call that starts its clock; the hook goes when it ends."""
    denoiser = getattr(pipeline, "unet", None) or pipeline.transformer
    clock = Clock(pipeline.scheduler)
    # A denoiser that takes the guidance scale as an input needs no second half.
    embedded = getattr(denoiser.config, "time_cond_proj_dim", None) is not None

    def invoke(**arguments: Any) -> torch.Tensor:
        clock.start(arguments["num_inference_steps"], arguments["guidance_scale"] > 1 and not embedded)
        images: torch.Tensor = pipeline(**arguments, output_type="pt", return_dict=False)[0]
        return images

    hook = denoiser.register_forward_pre_hook(clock.tick)
    try:
        yield Session(pipeline, denoiser, clock, seed), invoke
    finally:
        hook.remove()
