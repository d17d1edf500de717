"""Weights of convolutions in channels-last order, which their kernels on recent GPUs prefer."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from accsearch.methods.info import Parameters
from accsearch.worker.methods.converted_weights import converted
from accsearch.worker.methods.session import Invoke, Session


@contextmanager
def native(session: Session, invoke: Invoke, _parameters: Parameters) -> Iterator[Invoke]:
    """Lay out the denoiser's and the decoder's four-dimensional weights as (out, height, width, in)."""
    weights = [
        weight
        for module in (session.denoiser, session.pipeline.vae)
        for weight in module.parameters()
        if weight.ndim == 4
    ]
    with converted(session, weights, lambda data: data.contiguous(memory_format=torch.channels_last)):
        yield invoke
