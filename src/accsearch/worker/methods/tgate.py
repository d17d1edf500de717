"""T-GATE inside the denoiser: cross-attention is computed until a gate, then replaced by its cached mean.

Zhang et al.: Faster Diffusion via Temporal Attention Decomposition (arXiv 2404.02747). Before the gate
self-attention may be reused (`sp_interval`, after `warm_up` steps), after it too (`fi_interval`); then the
prompt plays no part, so with guidance only the unconditional half is computed.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any

import torch

from accsearch.task import Scalar
from accsearch.worker.methods.patch import replaced
from accsearch.worker.methods.session import Clock, Invoke, Session


class Use(Enum):
    """What an attention layer does with its cache in a step."""

    COMPUTE = "compute"
    STORE = "store"
    REUSE = "reuse"


@dataclass(frozen=True)
class Plan:
    """T-GATE's parameters, and what they make each step do."""

    gate_step: int
    sp_interval: int
    fi_interval: int
    warm_up: int

    def cross_attention(self, step: int) -> Use:
        """Return what cross-attention does in `step`, counted from 0."""
        if step < self.gate_step - 1:
            return Use.COMPUTE
        return Use.STORE if step == self.gate_step - 1 else Use.REUSE

    def self_attention(self, step: int) -> Use:
        """Return what self-attention does in `step`, counted from 0."""
        # What is computed in every step is read in none, so it is not stored.
        if step >= self.gate_step - 1:
            if self.fi_interval == 1:
                return Use.COMPUTE
            return Use.STORE if step == self.gate_step - 1 or step % self.fi_interval == 0 else Use.REUSE
        if step < self.warm_up or self.sp_interval == 1:
            return Use.COMPUTE
        return Use.STORE if step == self.warm_up or step % self.sp_interval == 0 else Use.REUSE


class _Phase:
    """What the current call does, which every attention layer reads, and the layers' caches.

    `averages` joins the halves of guidance in what is stored.
    """

    def __init__(self, layers: int) -> None:
        self.cross = Use.COMPUTE
        self.self_ = Use.COMPUTE
        self.averages = False
        self.caches: list[torch.Tensor | None] = [None] * layers


@contextmanager
def tgate(session: Session, invoke: Invoke, parameters: Mapping[str, Scalar]) -> Iterator[Invoke]:
    """Gate cross-attention at `gate_step`; guided pipelines run on half the batch from there on."""
    plan = Plan(**{field.name: int(parameters[field.name]) for field in fields(Plan)})
    layers = attentions(session.denoiser)
    phase = _Phase(len(layers))
    # The batch is halved at the gate, so features of before do not fit after it; at the step before it every
    # layer must fill its cache.
    fresh = {plan.gate_step - 1, plan.gate_step}
    session.fresh_steps |= fresh
    with ExitStack() as stack:
        stack.callback(session.fresh_steps.difference_update, fresh)
        for number, layer in enumerate(layers):
            stack.enter_context(replaced(layer, _cached(layer.forward, phase, number)))
        stack.enter_context(replaced(session.denoiser, _gated(session, plan, phase)))
        yield invoke


def attentions(denoiser: torch.nn.Module) -> list[Any]:
    """Return the denoiser's attention layers."""
    return [module for module in denoiser.modules() if type(module).__name__ == "Attention"]


def _gated(session: Session, plan: Plan, phase: _Phase) -> Callable[..., Any]:
    inner = session.denoiser.forward
    clock: Clock = session.clock

    def forward(*args: Any, **kwargs: Any) -> Any:
        if clock.index == 0:
            phase.caches = [None] * len(phase.caches)
        phase.cross = plan.cross_attention(clock.step)
        phase.self_ = plan.self_attention(clock.step)
        phase.averages = clock.guided and clock.step == plan.gate_step - 1
        gated = clock.guided and clock.step >= plan.gate_step
        if gated:
            batch = args[0].shape[0]
            args, kwargs = _first_half(args, batch), _first_half(kwargs, batch)
        output = inner(*args, **kwargs)
        if Use.STORE in (phase.cross, phase.self_):
            phase.caches = [cache if cache is None else session.kept(cache) for cache in phase.caches]
        # Equal halves make guidance the identity, whatever its scale.
        return (torch.cat([output[0], output[0]]),) if gated else output

    return forward


def _first_half(value: Any, batch: int) -> Any:
    """Cut every tensor of `batch` rows inside `value` to its first (unconditional) half."""
    if isinstance(value, torch.Tensor):
        return value[: batch // 2] if value.ndim > 0 and value.shape[0] == batch else value
    if isinstance(value, dict):
        return {name: _first_half(part, batch) for name, part in value.items()}
    if isinstance(value, tuple):
        return tuple(_first_half(part, batch) for part in value)
    return value


def _cached(compute: Callable[..., torch.Tensor], phase: _Phase, number: int) -> Callable[..., torch.Tensor]:
    def forward(
        hidden_states: torch.Tensor, encoder_hidden_states: torch.Tensor | None = None, **kwargs: Any
    ) -> torch.Tensor:
        use = phase.self_ if encoder_hidden_states is None else phase.cross
        cache = phase.caches[number]
        if use is Use.REUSE and cache is not None:
            return cache
        output = compute(hidden_states, encoder_hidden_states=encoder_hidden_states, **kwargs)
        if use is Use.STORE:
            if phase.averages:
                unconditional, conditional = output.chunk(2)
                phase.caches[number] = (unconditional + conditional) / 2
            else:
                phase.caches[number] = output
        return output

    return forward
