"""TaylorSeer by the hooks of diffusers, with identifiers that find the attention of every family's blocks.

Liu et al.: From Reusing to Forecasting: Accelerating Diffusion Models with TaylorSeers (ICCV 2025, arXiv 2503.06923).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from accsearch.methods.info import Parameters
from accsearch.methods.taylorseer import identifiers
from accsearch.worker.methods.diffusers_hooks import hooked
from accsearch.worker.methods.session import Invoke, Session


@contextmanager
def native(session: Session, invoke: Invoke, parameters: Parameters) -> Iterator[Invoke]:
    """Compute every `interval`-th step after `warm_up` and predict the others from the steps that ran."""

    def put_on(denoiser: Any) -> None:
        from diffusers.hooks import TaylorSeerCacheConfig, apply_taylorseer_cache

        config = TaylorSeerCacheConfig(
            cache_interval=int(parameters["interval"]),
            disable_cache_before_step=int(parameters["warm_up"]),
            max_order=int(parameters["order"]),
            taylor_factors_dtype=denoiser.dtype,
            **identifiers(parameters),
        )
        apply_taylorseer_cache(denoiser, config)

    with hooked(session, invoke, put_on) as call:
        yield call
