"""Weights replaced by converted ones, both kept, so that changing between them costs nothing."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch

from accsearch.worker.methods.session import Session


@contextmanager
def converted(
    session: Session, tensors: Iterable[torch.Tensor], convert: Callable[[torch.Tensor], torch.Tensor]
) -> Iterator[None]:
    """Give each parameter or buffer the data that `convert` makes of it, and its original data back on exit."""
    originals = [(tensor, tensor.data) for tensor in tensors]
    change = _Change(originals, [convert(data) for _, data in originals])
    session.changes.append(change)
    change.on()
    try:
        yield
    finally:
        change.off()
        session.changes.remove(change)


class _Change:
    """Converted weights that can be swapped with the originals, which take `idle_bytes` while they are not in use."""

    def __init__(
        self, originals: list[tuple[torch.Tensor, torch.Tensor]], changed: list[torch.Tensor]
    ) -> None:
        self._originals = originals
        self._changed = changed
        pairs = zip(originals, changed, strict=True)
        self.idle_bytes = sum(before.nbytes for (_, before), after in pairs if before is not after)

    def on(self) -> None:
        for (tensor, _), data in zip(self._originals, self._changed, strict=True):
            tensor.data = data

    def off(self) -> None:
        for tensor, data in self._originals:
            tensor.data = data
