"""Fewer sampler steps: what a user can do for free, so every other method must beat it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from accsearch.methods.fewer_steps import steps_left
from accsearch.methods.info import Parameters
from accsearch.worker.methods.session import Invoke, Session


@contextmanager
def native(_session: Session, invoke: Invoke, parameters: Parameters) -> Iterator[Invoke]:
    """Sample in the share `ratio` of the steps asked for, at least one."""

    def shortened(**arguments: Any) -> torch.Tensor:
        steps = steps_left(parameters, arguments["num_inference_steps"])
        return invoke(**{**arguments, "num_inference_steps": steps})

    yield shortened
