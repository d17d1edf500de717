"""Attributes, classes and hooks of a pipeline and its denoiser's modules, to be put back exactly."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

IN_PLACE = ("_forward_pre_hooks", "_forward_hooks", "_modules")
"""Dictionaries of a module that stay the same ones: whoever registered a hook removes it from this very dictionary.

The order of what they hold counts too: a package that puts a row of blocks back may put it behind the others.
"""


class Snapshot:
    """What the pipeline and each module of its denoiser held when it was taken; weights not included."""

    def __init__(self, pipeline: Any, denoiser: torch.nn.Module) -> None:
        owners = [pipeline, *denoiser.modules()]
        self._held = [(owner, type(owner), dict(vars(owner))) for owner in owners]
        kept = [vars(module)[name] for module in denoiser.modules() for name in IN_PLACE]
        self._kept = [(holder, dict(holder)) for holder in kept]

    def restore(self) -> None:
        """Put everything back."""
        for owner, kind, attributes in self._held:
            owner.__class__ = kind
            vars(owner).clear()
            vars(owner).update(attributes)
        for holder, before in self._kept:
            holder.clear()
            holder.update(before)


@contextmanager
def untouched(pipeline: Any, denoiser: torch.nn.Module) -> Iterator[None]:
    """Restore on exit what the packages leave behind, which their own undo (where there is one) does not."""
    snapshot = Snapshot(pipeline, denoiser)
    try:
        yield
    finally:
        snapshot.restore()
