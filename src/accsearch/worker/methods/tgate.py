"""T-GATE inside the denoiser: cross-attention is computed until a gate, then replaced by its cached mean.

Zhang et al.: Faster Diffusion via Temporal Attention Decomposition (arXiv 2404.02747). Before the gate
self-attention may be reused (`sp_interval`, after `warm_up` steps), after it too (`fi_interval`); then the
prompt plays no part, so with guidance only the unconditional half is computed.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

from accsearch.methods.info import Parameters
from accsearch.methods.tgate import LOADERS, Plan, Use
from accsearch.worker.methods.halves import half_of
from accsearch.worker.methods.patch import replaced
from accsearch.worker.methods.session import Clock, Invoke, Session
from accsearch.worker.methods.snapshot import untouched


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
def native(session: Session, invoke: Invoke, parameters: Parameters) -> Iterator[Invoke]:
    """Gate cross-attention at `gate_step`; guided pipelines run on half the batch from there on."""
    plan = Plan.of(parameters)
    layers = attentions(session.denoiser)
    phase = _Phase(len(layers))
    with ExitStack() as stack:
        for number, layer in enumerate(layers):
            stack.enter_context(replaced(layer, _cached(layer.forward, phase, number)))
        stack.enter_context(replaced(session.denoiser, _gated(session, plan, phase)))
        yield invoke


@contextmanager
def package(session: Session, invoke: Invoke, parameters: Parameters) -> Iterator[Invoke]:
    """Generate by the package's changed copy of the pipeline's `__call__`, which sets DeepCache up where asked."""
    pipeline, deepcache = session.pipeline, session.methods.get("deepcache")
    alone, joined = LOADERS[type(pipeline).__name__]
    loader = alone if deepcache is None else joined
    if loader is None:
        raise TypeError(f"tgate has no loader with DeepCache for {type(pipeline).__name__}")

    def generate(**arguments: Any) -> Any:
        # The package keeps its caches from one generation to the next, and may reuse another image's.
        for module in session.denoiser.modules():
            vars(module).pop("cache", None)
        return pipeline.tgate(**arguments, **parameters)

    with untouched(pipeline, session.denoiser):
        # It imports most of torch and diffusers, seconds that only those who use it should wait for.
        import tgate as published

        getattr(published, loader)(pipeline, **(deepcache or {}))
        session.generate = generate
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
            args, kwargs = half_of(args, batch, first=True), half_of(kwargs, batch, first=True)
        output = inner(*args, **kwargs)
        if Use.STORE in (phase.cross, phase.self_):
            phase.caches = [cache if cache is None else session.kept(cache) for cache in phase.caches]
        # Equal halves make guidance the identity, whatever its scale.
        return (torch.cat([output[0], output[0]]),) if gated else output

    return forward


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
