"""The caches of diffusers: put on by its hooks, in contexts in which they act, from a clean state in each generation.

Its hooks want a cache context, which only some pipelines enter, and keep their state from one generation to the next.
They are put on by their `apply_…` functions, which go together, where `enable_cache` takes one of them.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from accsearch.worker.methods.patch import replaced
from accsearch.worker.methods.repeated_blocks import register_blocks, whole_outputs
from accsearch.worker.methods.session import Invoke, Session
from accsearch.worker.methods.snapshot import untouched

REGISTRY = "_diffusers_hook"
"""Attribute of a module that holds its hooks."""
CONTEXTS = ("cond", "uncond")
"""Names of the cache contexts of the two calls of a guided step, as the pipelines of diffusers name them."""


@contextmanager
def hooked(session: Session, invoke: Invoke, put_on: Callable[[Any], None]) -> Iterator[Invoke]:
    """Let `put_on` hook the denoiser and yield the call that runs it; afterwards the denoiser is what it was."""
    from diffusers.hooks import HookRegistry

    denoiser, outermost = session.denoiser, not session.hooked
    with ExitStack() as stack:
        stack.enter_context(untouched(session.pipeline, denoiser))
        if outermost:
            # Registries are changed in place, so those of before are set aside until the snapshot puts them back.
            for module in denoiser.modules():
                vars(module).pop(REGISTRY, None)
            session.hooked = True
            stack.callback(setattr, session, "hooked", False)
        register_blocks()
        stack.enter_context(whole_outputs(denoiser))
        put_on(denoiser)
        registry = HookRegistry.check_if_exists_or_initialize(denoiser)
        registry.invalidate_child_registries_cache()
        if not outermost:
            yield invoke
            return
        stack.enter_context(replaced(denoiser, _in_context(session)))
        session.resets.append(registry.reset_stateful_hooks)
        stack.callback(session.resets.remove, registry.reset_stateful_hooks)

        def from_clean_state(**arguments: Any) -> Any:
            registry.reset_stateful_hooks()
            return invoke(**arguments)

        yield from_clean_state


def _in_context(session: Session) -> Callable[..., Any]:
    from diffusers.models.cache_utils import CacheMixin

    inner, denoiser = session.denoiser.forward, session.denoiser

    def forward(*args: Any, **kwargs: Any) -> Any:
        # Also for models that lack the mixin, as SD3, PixArt and Sana: it needs nothing of them.
        with CacheMixin.cache_context(denoiser, CONTEXTS[session.clock.branch]):
            return inner(*args, **kwargs)

    return forward
