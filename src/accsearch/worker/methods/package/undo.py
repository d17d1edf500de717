"""Take back what the packages leave on a denoiser, which their own undo (where there is one) does not."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def untouched(pipeline: Any, denoiser: torch.nn.Module) -> Iterator[None]:
    """Restore the instance attributes and classes of the pipeline and of each module of its denoiser."""
    owners = [pipeline, *denoiser.modules()]
    before = [(owner, type(owner), dict(vars(owner))) for owner in owners]
    try:
        yield
    finally:
        for owner, kind, attributes in before:
            owner.__class__ = kind
            vars(owner).clear()
            vars(owner).update(attributes)
