"""T-GATE by its package, alone or with DeepCache: a copy of the pipeline's `__call__`, changed."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import tgate as package
import torch

from accsearch.task import Scalar
from accsearch.worker.methods.package.deepcache import needs_mid_block
from accsearch.worker.methods.session import Invoke, Session
from accsearch.worker.methods.snapshot import untouched

LOADERS: Mapping[str, tuple[str, str | None]] = {
    "StableDiffusionPipeline": ("TgateSDLoader", "TgateSDDeepCacheLoader"),
    "StableDiffusionXLPipeline": ("TgateSDXLLoader", "TgateSDXLDeepCacheLoader"),
    "PixArtAlphaPipeline": ("TgatePixArtAlphaLoader", None),
    "PixArtSigmaPipeline": ("TgatePixArtSigmaLoader", None),
}


@contextmanager
def tgate(session: Session, _invoke: Invoke, parameters: Mapping[str, Scalar]) -> Iterator[Invoke]:
    """Yield the package's own call of the pipeline."""
    loader, _ = LOADERS[type(session.pipeline).__name__]
    with untouched(session.pipeline, session.denoiser):
        getattr(package, loader)(session.pipeline)
        yield _call(session, parameters)


def tgate_with(
    deepcache: Mapping[str, Scalar],
) -> Callable[[Session, Invoke, Mapping[str, Scalar]], AbstractContextManager[Invoke]]:
    """Return the method that loads T-GATE with DeepCache inside, which its loader must set up itself."""

    @contextmanager
    def both(session: Session, _invoke: Invoke, parameters: Mapping[str, Scalar]) -> Iterator[Invoke]:
        needs_mid_block(session)
        _, loader = LOADERS[type(session.pipeline).__name__]
        if loader is None:
            raise TypeError(f"tgate has no loader with DeepCache for {type(session.pipeline).__name__}")
        with untouched(session.pipeline, session.denoiser):
            getattr(package, loader)(session.pipeline, **deepcache)
            yield _call(session, parameters)

    return both


def _call(session: Session, parameters: Mapping[str, Scalar]) -> Callable[..., torch.Tensor]:
    def invoke(**arguments: Any) -> torch.Tensor:
        # The package keeps its caches from one generation to the next, and may reuse another image's.
        for module in session.denoiser.modules():
            vars(module).pop("cache", None)
        output = session.pipeline.tgate(**arguments, **parameters, output_type="pt", return_dict=False)
        images: torch.Tensor = output[0]
        return images

    return invoke
