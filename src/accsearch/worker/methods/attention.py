"""Attention by one kernel of PyTorch, chosen while the denoiser runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from accsearch.methods.attention import KERNELS
from accsearch.methods.info import Parameters
from accsearch.worker.fatal_errors import end_if_fatal, one_line
from accsearch.worker.methods.patch import replaced
from accsearch.worker.methods.session import Invoke, Session, Unsupported


@contextmanager
def native(session: Session, invoke: Invoke, parameters: Parameters) -> Iterator[Invoke]:
    """Run the denoiser's attention by the kernel `backend` alone."""
    backend, denoiser = str(parameters["backend"]), session.denoiser
    kernel = getattr(SDPBackend, KERNELS[backend])
    inner = denoiser.forward

    def forward(*args: Any, **kwargs: Any) -> Any:
        with sdpa_kernel(kernel):
            return inner(*args, **kwargs)

    def check(*args: Any, **kwargs: Any) -> None:
        try:
            with torch.no_grad(), sdpa_kernel(kernel):
                inner(*args, **kwargs)
        except RuntimeError as error:
            end_if_fatal(error)
            raise Unsupported(f"attention: {backend} cannot run here: {one_line(error)}") from error

    with replaced(denoiser, forward):
        session.checks.append(check)
        try:
            yield invoke
        finally:
            session.checks.remove(check)
