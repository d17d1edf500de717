"""The instance attributes and classes of a pipeline and its denoiser's modules, to be put back exactly."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


class Snapshot:
    """What the pipeline and each module of its denoiser held when it was taken; weights not included."""

    def __init__(self, pipeline: Any, denoiser: torch.nn.Module) -> None:
        owners = [pipeline, *denoiser.modules()]
        self._held = [(owner, type(owner), dict(vars(owner))) for owner in owners]

    def restore(self) -> None:
        """Put everything back."""
        for owner, kind, attributes in self._held:
            owner.__class__ = kind
            vars(owner).clear()
            vars(owner).update(attributes)


@contextmanager
def untouched(pipeline: Any, denoiser: torch.nn.Module) -> Iterator[None]:
    """Restore on exit what the packages leave behind, which their own undo (where there is one) does not."""
    snapshot = Snapshot(pipeline, denoiser)
    try:
        yield
    finally:
        snapshot.restore()
