"""Pyramid Attention Broadcast by the hooks of diffusers, one cache for each half of guidance.

Zhao et al.: Real-Time Video Generation with Pyramid Attention Broadcast (ICLR 2025, arXiv 2408.12588). The range is
one of steps, since the timesteps of flow matching are shifted.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from accsearch.methods.info import Parameters
from accsearch.worker.methods.clock import Clock
from accsearch.worker.methods.diffusers_hooks import hooked
from accsearch.worker.methods.repeated_blocks import repeated_blocks
from accsearch.worker.methods.session import Invoke, Session

HOOK = "pyramid_attention_broadcast"


@contextmanager
def native(session: Session, invoke: Invoke, parameters: Parameters) -> Iterator[Invoke]:
    """Compute attention every `interval` steps between the shares `start` and `end` of the steps."""
    clock = session.clock
    hook = _hook_class(clock)
    steps = (float(parameters["start"]), float(parameters["end"]))

    def put_on(denoiser: Any) -> None:
        from diffusers.hooks import HookRegistry

        for attention in attentions(denoiser):
            registry = HookRegistry.check_if_exists_or_initialize(attention)
            registry.register_hook(hook(steps, int(parameters["interval"]), progress(clock)), HOOK)

    with hooked(session, invoke, put_on) as call:
        yield call


def progress(clock: Clock) -> Callable[[], float]:
    """Return what says which share of the sampler steps lies before the present one."""
    return lambda: clock.step / clock.steps


def attentions(denoiser: Any) -> list[Any]:
    """Return the attention layers of a transformer's blocks, those across to the text too."""
    from diffusers.models.attention import AttentionModuleMixin
    from diffusers.models.attention_processor import Attention

    kinds = (Attention, AttentionModuleMixin)
    return [
        each for block in repeated_blocks(denoiser) for each in block.modules() if isinstance(each, kinds)
    ]


def _hook_class(clock: Clock) -> Any:
    """Return the hook of diffusers with a state for each of the two calls of a guided step.

    Its own has one, so that the unconditional call would be given the attention of the conditional one.
    """
    from diffusers.hooks.pyramid_attention_broadcast import (
        PyramidAttentionBroadcastHook,
        PyramidAttentionBroadcastState,
    )

    class Hook(PyramidAttentionBroadcastHook):  # type: ignore[misc]
        def initialize_hook(self, module: Any) -> Any:
            self._states = (PyramidAttentionBroadcastState(), PyramidAttentionBroadcastState())
            return module

        @property
        def state(self) -> Any:
            return self._states[clock.branch]

        def reset_state(self, module: Any) -> Any:
            for state in self._states:
                state.reset()
            return module

    return Hook
