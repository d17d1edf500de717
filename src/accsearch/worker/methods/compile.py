"""torch.compile of the denoiser; what it costs to compile is set-up time, paid before anything is timed.

Ansel et al.: PyTorch 2: Faster Machine Learning Through Dynamic Python Bytecode Transformation and Graph
Compilation, ASPLOS 2024.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch

from accsearch.task import Scalar
from accsearch.worker.methods.patch import replaced
from accsearch.worker.methods.session import Invoke, Session


@contextmanager
def compiled(session: Session, invoke: Invoke, parameters: Mapping[str, Scalar]) -> Iterator[Invoke]:
    """Compile the denoiser's `forward`, and whatever another method runs in its place, in `mode`."""
    mode = str(parameters["mode"])
    before = session.compiled
    session.compiled = lambda function: torch.compile(function, mode=mode, dynamic=False)
    try:
        with replaced(session.denoiser, session.compiled(session.denoiser.forward)):
            yield invoke
    finally:
        session.compiled = before
        torch.compiler.reset()
