"""Guidance without its unconditional half from a step on, for any pipeline that guides by two halves.

Castillo et al.: Adaptive Guidance (arXiv 2312.12487) found late unconditional halves to change little; Kynkäänniemi
et al. (NeurIPS 2024, arXiv 2404.07724) that guidance helps in a middle range of noise alone.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from accsearch.methods.info import Parameters
from accsearch.worker.methods.changes import latents_of
from accsearch.worker.methods.guidance import CONDITIONAL_FIRST
from accsearch.worker.methods.halves import half_of
from accsearch.worker.methods.patch import replaced
from accsearch.worker.methods.session import Invoke, Session


@contextmanager
def native(session: Session, invoke: Invoke, parameters: Parameters) -> Iterator[Invoke]:
    """From `start` on compute the conditional half alone; equal halves make guidance the identity."""
    with replaced(session.denoiser, _cut(session, int(parameters["start"]))):
        yield invoke


def _cut(session: Session, start: int) -> Callable[..., Any]:
    inner, clock = session.denoiser.forward, session.clock
    first = type(session.pipeline).__name__ in CONDITIONAL_FIRST
    conditional: Any = None
    cut = False

    def forward(*args: Any, **kwargs: Any) -> Any:
        nonlocal conditional, cut
        if clock.index == 0:
            cut = False
        if clock.step < start or (clock.branches == 1 and not clock.guided):
            return inner(*args, **kwargs)
        if clock.branches == 2:
            if clock.branch == 0:
                conditional = inner(*args, **kwargs)
            return conditional
        if not cut:
            cut = True
            # What is kept of both halves does not fit the half that is left.
            for reset in session.resets:
                reset()
        latents = latents_of(args, kwargs)
        batch = len(latents)
        args, kwargs = half_of(args, batch, first=first), half_of(kwargs, batch, first=first)
        output = inner(*args, **kwargs)[0]
        return (output + output if isinstance(output, list) else torch.cat([output, output]),)

    return forward
