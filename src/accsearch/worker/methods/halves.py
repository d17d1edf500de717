"""One half of a batch that holds both halves of guidance."""

from typing import Any

import torch


def half_of(value: Any, batch: int, *, first: bool) -> Any:
    """Cut every tensor of `batch` rows, and every list of so many tensors, to its first or its second half.

    Looks into dictionaries and tuples; everything else stays as it is.
    """
    rows = slice(0, batch // 2) if first else slice(batch // 2, batch)
    if isinstance(value, torch.Tensor):
        return value[rows] if value.ndim > 0 and value.shape[0] == batch else value
    if isinstance(value, dict):
        return {name: half_of(part, batch, first=first) for name, part in value.items()}
    if isinstance(value, tuple):
        return tuple(half_of(part, batch, first=first) for part in value)
    if isinstance(value, list) and len(value) == batch:
        return value[rows]
    return value
