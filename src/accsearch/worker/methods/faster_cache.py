"""FasterCache by the hooks of diffusers, in a range of steps that begins after the first.

Lv et al.: FasterCache: Training-Free Video Diffusion Model Acceleration with High Quality (ICLR 2025, arXiv
2410.19355).
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from accsearch.methods.info import Parameters
from accsearch.worker.methods.diffusers_hooks import hooked
from accsearch.worker.methods.guidance import branches
from accsearch.worker.methods.session import Invoke, Session

HALVED = (
    "hidden_states",
    "encoder_hidden_states",
    "timestep",
    "attention_mask",
    "encoder_attention_mask",
    "pooled_projections",
)
"""Arguments of the denoisers that hold both halves of guidance; diffusers' own list lacks the last."""
TIMESTEPS = 1000.0
ALWAYS = 2 * TIMESTEPS


@contextmanager
def native(session: Session, invoke: Invoke, parameters: Parameters) -> Iterator[Invoke]:
    """Reuse attention every `interval` steps and the unconditional half for `guidance_interval`, after `start`."""
    from diffusers.hooks import FasterCacheConfig, apply_faster_cache
    from diffusers.hooks.faster_cache import _FASTER_CACHE_BLOCK_HOOK, _FASTER_CACHE_DENOISER_HOOK

    clock, denoiser = session.clock, session.denoiser
    late = (-1.0, TIMESTEPS * (1 - float(parameters["start"])))
    found: list[Any] = []

    def timestep() -> float:
        """Return a timestep that falls evenly, and lies outside of any range in the first step."""
        return TIMESTEPS * (1 - clock.step / clock.steps) if clock.step > 0 else ALWAYS

    config = FasterCacheConfig(
        spatial_attention_block_skip_range=int(parameters["interval"]),
        spatial_attention_timestep_skip_range=late,
        unconditional_batch_skip_range=int(parameters["guidance_interval"]),
        unconditional_batch_timestep_skip_range=late,
        attention_weight_callback=lambda _module: 0.5,
        current_timestep_callback=timestep,
        tensor_format="BCHW",
        _unconditional_conditional_input_kwargs_identifiers=list(HALVED),
    )

    def put_on(module: Any) -> None:
        with _silenced("diffusers.hooks.faster_cache"):
            apply_faster_cache(module, config)
        registries = [vars(each).get("_diffusers_hook") for each in module.modules()]
        names = (_FASTER_CACHE_DENOISER_HOOK, _FASTER_CACHE_BLOCK_HOOK)
        found[:] = [
            hook for each in registries if each for name in names if (hook := each.get_hook(name)) is not None
        ]

    with hooked(session, invoke, put_on) as call:

        def halving(**arguments: Any) -> Any:
            guided, _ = branches(session.pipeline, denoiser, arguments)
            for hook in found:
                # Without an unconditional half in the batch attention alone is reused.
                hook.is_guidance_distilled = not guided
            with warnings.catch_warnings():
                # Its meshgrid leaves the order of indices to a default that torch is to change.
                warnings.filterwarnings("ignore", message="torch.meshgrid", category=UserWarning)
                return call(**arguments)

        yield halving


@contextmanager
def _silenced(name: str) -> Iterator[None]:
    """Leave out the library's warning that its cache is an experiment."""
    logger = logging.getLogger(name)
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before
