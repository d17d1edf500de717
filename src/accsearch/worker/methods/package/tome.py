"""ToMe by tomesd, its generator seeded anew before each generation so that results repeat."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import tomesd
import torch

from accsearch.task import Scalar
from accsearch.worker.methods.session import Invoke, Session
from accsearch.worker.methods.snapshot import untouched


@contextmanager
def tome(session: Session, invoke: Invoke, parameters: Mapping[str, Scalar]) -> Iterator[Invoke]:
    """Patch the denoiser's transformer blocks by `tomesd.apply_patch`."""
    with untouched(session.pipeline, session.denoiser):
        tomesd.apply_patch(session.pipeline, **parameters)
        state = session.denoiser._tome_info

        def reseeded(**arguments: Any) -> torch.Tensor:
            state["args"]["generator"] = torch.Generator(session.denoiser.device).manual_seed(session.seed)
            return invoke(**arguments)

        try:
            yield reseeded
        finally:
            tomesd.remove_patch(session.pipeline)
