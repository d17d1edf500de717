"""DBCache by the package cache-dit, on a class of the pipeline's own so that nothing of it stays behind."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from accsearch.methods.info import Parameters
from accsearch.worker.methods.extra_package import needed
from accsearch.worker.methods.repeated_blocks import repeated_blocks
from accsearch.worker.methods.session import Invoke, Session, Unsupported
from accsearch.worker.methods.snapshot import untouched


@contextmanager
def native(session: Session, invoke: Invoke, parameters: Parameters) -> Iterator[Invoke]:
    """Skip the blocks between the `first` and the `last` ones while the residual of the first changes little."""
    package = needed("cache_dit", "cache_dit")
    pipeline, plain = session.pipeline, type(session.pipeline)
    first, last, blocks = int(parameters["first"]), int(parameters["last"]), repeated_blocks(session.denoiser)
    if first + last > len(blocks):
        raise Unsupported(
            f"cache_dit: first {first} and last {last} are more than the {len(blocks)} blocks of this denoiser"
        )
    config = package.DBCacheConfig(
        Fn_compute_blocks=first,
        Bn_compute_blocks=last,
        residual_diff_threshold=float(parameters["threshold"]),
        max_warmup_steps=int(parameters["warm_up"]),
    )
    with untouched(pipeline, session.denoiser), _silenced("CACHE_DIT", "cache_dit"):
        # The package changes the class of the pipeline, which every other pipeline of it shares.
        pipeline.__class__ = type(plain.__name__, (plain,), {"__module__": plain.__module__})
        package.enable_cache(pipeline, cache_config=config)
        try:
            yield invoke
        finally:
            package.disable_cache(pipeline)


@contextmanager
def _silenced(*names: str) -> Iterator[None]:
    """Leave out what the package says of each block."""
    loggers = [logging.getLogger(name) for name in names]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
