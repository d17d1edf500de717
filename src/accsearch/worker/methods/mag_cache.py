"""MagCache by the hooks of diffusers, with ratios calibrated here once for a model, steps and size.

Ma et al.: MagCache: Fast Video Generation with Magnitude-Aware Cache (arXiv 2506.09045). The calibration of
diffusers prints the ratios; here they are taken from a plain generation and kept.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch

from accsearch.methods.info import Parameters, quantile
from accsearch.methods.mag_cache import joined
from accsearch.worker.methods.calibration import Plain
from accsearch.worker.methods.changes import Changes
from accsearch.worker.methods.diffusers_hooks import hooked
from accsearch.worker.methods.session import Invoke, Session
from accsearch.worker.methods.settled import settled, waits


@contextmanager
def native(session: Session, invoke: Invoke, parameters: Parameters) -> Iterator[Invoke]:
    """Skip all blocks while the predicted error stays within `threshold`, for `max_skip` steps at most."""
    from diffusers.hooks import MagCacheConfig, apply_mag_cache

    share = quantile(parameters["threshold"])
    config = MagCacheConfig(
        threshold=waits(parameters["threshold"]),
        max_skip_steps=int(parameters["max_skip"]),
        retention_ratio=float(parameters["retention"]),
        mag_ratios=[1.0],
        num_inference_steps=1,
    )

    def settle(plain: Plain) -> None:
        ratios = joined(plain.ratios())
        # Calls of a half of guidance, which schedulers of second order make two of in a step.
        config.num_inference_steps = len(ratios)
        config.mag_ratios = torch.tensor(ratios)
        if share is not None:
            skipping = partial(skips, parameters=parameters)
            setting = [parameters["max_skip"], parameters["retention"]]
            config.threshold = plain.threshold("mag_cache", share, skipping, setting)

    def put_on(denoiser: Any) -> None:
        apply_mag_cache(denoiser, config)

    with hooked(session, invoke, put_on) as call, settled(session, settle):
        yield call


def skips(changes: Changes, threshold: float, parameters: Parameters) -> list[bool]:
    """Say which calls of a generation the cache would skip; they follow from the ratios alone."""
    most, calls = int(parameters["max_skip"]), len(changes.ratios)
    kept = int(float(parameters["retention"]) * calls + 0.5)
    found: list[bool] = []
    product, error, steps = 1.0, 0.0, 0
    for call, ratio in enumerate(changes.ratios):
        skipped = False
        if call >= kept:
            product, steps = product * ratio, steps + 1
            error += abs(1.0 - product)
            skipped = call > 0 and error <= threshold and steps <= most
            if not skipped:
                product, error, steps = 1.0, 0.0, 0
        found.append(skipped)
    return found


def inert(plain: Plain, parameters: Parameters) -> float:
    """Return the share of calls that a number as threshold would skip."""
    return plain.skipped(partial(skips, parameters=parameters), float(parameters["threshold"]))
