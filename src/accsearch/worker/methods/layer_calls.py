"""How many calls of a denoiser's layers run in a generation, by hooks that only an untimed run has."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch

LAYERS = (torch.nn.Linear, torch.nn.Conv2d)


@dataclass
class LayerCalls:
    """Rows of the batches that the layers were given, in all and in the first of so many calls of the denoiser."""

    rows: int = 0
    calls: int = 0
    first: int = field(default=0)

    @property
    def share(self) -> float:
        """What ran of what would have run, had every call been like the first, which every method runs in full."""
        return self.rows / (self.first * self.calls)


@contextmanager
def counted(denoiser: Any) -> Iterator[LayerCalls]:
    """Count the calls of the layers inside of the denoiser's repeated blocks, each row of a batch as one call.

    A cache that answers in place of a block or of its attention leaves the layers inside of it alone.
    """
    counts = LayerCalls()

    def of_layer(_module: Any, inputs: tuple[torch.Tensor, ...]) -> None:
        counts.rows += inputs[0].shape[0]
        if counts.calls == 1:
            counts.first += inputs[0].shape[0]

    def of_denoiser(_module: Any, _inputs: Any) -> None:
        counts.calls += 1

    repeated = [part for part in denoiser.children() if isinstance(part, torch.nn.ModuleList)]
    layers = {id(each): each for part in repeated for each in part.modules() if isinstance(each, LAYERS)}
    hooks = [each.register_forward_pre_hook(of_layer) for each in layers.values()]
    hooks.append(denoiser.register_forward_pre_hook(of_denoiser))
    try:
        yield counts
    finally:
        for hook in hooks:
            hook.remove()
