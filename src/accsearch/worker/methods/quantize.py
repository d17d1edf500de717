"""Linear layers of the denoiser's blocks in 8 bits by torchao, their weights kept and put back bit for bit.

Or et al.: TorchAO: PyTorch-Native Training-to-Serving Model Optimization (arXiv 2507.16099).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from accsearch.methods.info import Parameters
from accsearch.methods.quantize import CONFIGS
from accsearch.worker.methods.extra_package import needed
from accsearch.worker.methods.session import Invoke, Session, Unsupported
from accsearch.worker.methods.snapshot import untouched

MULTIPLE = 16
"""Of which both sides of a weight must be one for the kernels of 8 bits."""


@contextmanager
def native(session: Session, invoke: Invoke, parameters: Parameters) -> Iterator[Invoke]:
    """Quantise by `scheme` the linear layers inside the denoiser's repeated blocks."""
    quantization = needed("quantize", "torchao.quantization")
    scheme = str(parameters["scheme"])
    # Its settings of the compiler would hold for every trial after this one, and make each compilation longer.
    config = getattr(quantization, CONFIGS[scheme])(set_inductor_config=False)
    layers = linear_layers(session.denoiser)
    originals = [layer.weight for layer in layers]
    chosen = set(map(id, layers))
    with untouched(session.pipeline, session.denoiser):
        try:
            quantization.quantize_(
                session.denoiser, config, filter_fn=lambda module, _name: id(module) in chosen
            )
        except (AssertionError, NotImplementedError, RuntimeError, ValueError) as error:
            _put(layers, originals)
            raise Unsupported(
                f"quantize: {scheme} cannot be done here: {' '.join(str(error).split())}"
            ) from error
        change = _Change(layers, originals, [layer.weight for layer in layers])
        session.changes.append(change)
        try:
            yield invoke
        finally:
            change.off()
            session.changes.remove(change)


def linear_layers(denoiser: Any) -> list[Any]:
    """Return the linear layers inside the repeated blocks whose sides the kernels of 8 bits can take."""
    lists = (part for part in denoiser.children() if isinstance(part, torch.nn.ModuleList))
    found = {id(each): each for part in lists for each in part.modules() if isinstance(each, torch.nn.Linear)}
    return [each for each in found.values() if not any(side % MULTIPLE for side in each.weight.shape)]


def _put(layers: list[Any], weights: list[Any]) -> None:
    for layer, weight in zip(layers, weights, strict=True):
        layer._parameters["weight"] = weight


class _Change:
    """Quantised weights that can be swapped with the originals, which take `idle_bytes` while not in use."""

    def __init__(self, layers: list[Any], originals: list[Any], changed: list[Any]) -> None:
        self._layers, self._originals, self._changed = layers, originals, changed
        self.idle_bytes = sum(weight.nbytes for weight in originals)

    def on(self) -> None:
        _put(self._layers, self._changed)

    def off(self) -> None:
        _put(self._layers, self._originals)
