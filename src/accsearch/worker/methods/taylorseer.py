"""TaylorSeer by the hooks of diffusers, with identifiers that find the attention of every family's blocks.

Liu et al.: From Reusing to Forecasting: Accelerating Diffusion Models with TaylorSeers (ICCV 2025, arXiv 2503.06923).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from accsearch.methods.info import Parameters
from accsearch.worker.methods.diffusers_hooks import hooked
from accsearch.worker.methods.session import Invoke, Session

ATTENTION = [r"(single_)?transformer_blocks\.\d+\.attn\d?"]
BLOCKS = [r"(single_)?transformer_blocks\.\d+"]
LAST_LAYER = [r"proj_out"]


@contextmanager
def native(session: Session, invoke: Invoke, parameters: Parameters) -> Iterator[Invoke]:
    """Compute every `interval`-th step after `warm_up` and predict the others from the steps that ran."""
    whole = parameters["scope"] == "blocks"

    def put_on(denoiser: Any) -> None:
        from diffusers.hooks import TaylorSeerCacheConfig, apply_taylorseer_cache

        config = TaylorSeerCacheConfig(
            cache_interval=int(parameters["interval"]),
            disable_cache_before_step=int(parameters["warm_up"]),
            max_order=int(parameters["order"]),
            taylor_factors_dtype=denoiser.dtype,
            # The blocks give zeros of the right shape in steps in which the last layer's output is predicted.
            skip_predict_identifiers=BLOCKS if whole else None,
            cache_identifiers=LAST_LAYER if whole else ATTENTION,
        )
        apply_taylorseer_cache(denoiser, config)

    with hooked(session, invoke, put_on) as call:
        yield call
