"""Where a generation is, by the calls of its denoiser; and what a method that cannot run raises."""

from collections.abc import Callable, Mapping
from typing import Any

import torch

Invoke = Callable[..., torch.Tensor]
"""Call the pipeline with its keyword arguments; returns images (batch, 3, height, width) in [0, 1]."""


class Clock:
    """The position of the denoiser in a generation, found by counting its calls, which needs no wait for the device.

    `index` is the call within the generation, `step` the sampler step: schedulers of second order call twice
    a step, and PNDM makes warm-up calls, whose steps are negative. `guided` says whether batches hold both halves
    of guidance; where the halves are two calls, `branch` is 0 in the conditional one and 1 in the other. `size` is
    the latents' height and width.
    """

    def __init__(self, scheduler: Any) -> None:
        self._scheduler = scheduler
        self.steps = 0
        self.guided = False
        self.branches = 1
        self.branch = 0
        self.index = -1
        self.step = 0
        self.begins_step = True
        self.size = (0, 0)

    def start(self, steps: int, guided: bool, branches: int = 1) -> None:
        """Begin a generation of `steps` sampler steps, guided in one batch or in so many calls of each step."""
        self.steps = steps
        self.guided = guided
        self.branches = branches
        self.index = -1

    def tick(self, _module: torch.nn.Module, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> None:
        """Count one call of the denoiser (a forward pre-hook); SD3 and Flux give the latents by name."""
        self.index += 1
        call, self.branch = divmod(self.index, self.branches)
        order = self._scheduler.order
        extra = max(0, len(self._scheduler.timesteps) - self.steps * order)
        self.step = (call - extra) // order
        self.begins_step = self.branch == 0 and (call - extra) % order == 0
        latents = arguments[0] if arguments else keywords["hidden_states"]
        # Z-Image gives a list of one tensor an image.
        height, width = (latents[0] if isinstance(latents, list) else latents).shape[-2:]
        self.size = (height, width)


class Unsupported(Exception):
    """A method cannot run on this denoiser; the message is the reason, as one line."""
