"""First Block Cache by the hooks of diffusers: a step's later blocks run only if the first one's residual changed.

Cheng: ParaAttention (2024), which simplifies TeaCache (Liu et al., CVPR 2025, arXiv 2411.19108).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from accsearch.methods.info import Parameters, quantile
from accsearch.worker.methods.calibration import Plain
from accsearch.worker.methods.changes import Changes, relative_change
from accsearch.worker.methods.diffusers_hooks import hooked
from accsearch.worker.methods.repeated_blocks import repeated_blocks
from accsearch.worker.methods.session import Invoke, Session
from accsearch.worker.methods.settled import settled, waits


@contextmanager
def native(session: Session, invoke: Invoke, parameters: Parameters) -> Iterator[Invoke]:
    """Skip all blocks but the first while its residual has changed by no more than `threshold`."""
    share = quantile(parameters["threshold"])

    def put_on(denoiser: Any) -> None:
        from diffusers.hooks import FirstBlockCacheConfig, apply_first_block_cache

        apply_first_block_cache(denoiser, FirstBlockCacheConfig(threshold=waits(parameters["threshold"])))

    def settle(plain: Plain) -> None:
        if share is not None:
            hook = repeated_blocks(session.denoiser)[0]._diffusers_hook.get_hook("fbc_leader_block_hook")
            hook.threshold = plain.threshold("first_block_cache", share, skips)

    with hooked(session, invoke, put_on) as call, settled(session, None if share is None else settle):
        yield call


def skips(changes: Changes, threshold: float) -> list[bool]:
    """Say which calls of a plain generation the cache would skip."""
    found, last = [], None
    for head in changes.heads:
        skipped = last is not None and relative_change(head, last) <= threshold
        last = last if skipped else head
        found.append(skipped)
    return found


def inert(plain: Plain, parameters: Parameters) -> float:
    """Return the share of calls that a number as threshold would skip."""
    return plain.skipped(skips, float(parameters["threshold"]))
