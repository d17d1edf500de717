"""Fewer sampler steps: what a user can do for free, so every other method must beat it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from accsearch.task import Scalar
from accsearch.worker.methods.session import Invoke, Session


@contextmanager
def fewer_steps(_session: Session, invoke: Invoke, parameters: Mapping[str, Scalar]) -> Iterator[Invoke]:
    """Sample in the share `ratio` of the steps asked for, at least one."""
    ratio = float(parameters["ratio"])

    def shortened(**arguments: Any) -> torch.Tensor:
        steps = max(1, round(arguments["num_inference_steps"] * ratio))
        return invoke(**{**arguments, "num_inference_steps": steps})

    yield shortened
