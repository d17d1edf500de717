"""Attributes, classes and hooks of a pipeline and its denoiser's modules, to be put back exactly."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

HOOKS = ("_forward_pre_hooks", "_forward_hooks")


class Snapshot:
    """What the pipeline and each module of its denoiser held when it was taken; weights not included."""

    def __init__(self, pipeline: Any, denoiser: torch.nn.Module) -> None:
        owners = [pipeline, *denoiser.modules()]
        self._held = [(owner, type(owner), dict(vars(owner))) for owner in owners]
        hooks = [vars(module)[name] for module in denoiser.modules() for name in HOOKS]
        self._hooks = [(registered, dict(registered)) for registered in hooks]

    def restore(self) -> None:
        """Put everything back."""
        for owner, kind, attributes in self._held:
            owner.__class__ = kind
            vars(owner).clear()
            vars(owner).update(attributes)
        for registered, before in self._hooks:
            # In place, since whoever registered a hook removes it from this very dictionary.
            registered.clear()
            registered.update(before)


@contextmanager
def untouched(pipeline: Any, denoiser: torch.nn.Module) -> Iterator[None]:
    """Restore on exit what the packages leave behind, which their own undo (where there is one) does not."""
    snapshot = Snapshot(pipeline, denoiser)
    try:
        yield
    finally:
        snapshot.restore()
