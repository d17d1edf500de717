"""Build a model whose weights are loaded next without first drawing random ones."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch.nn import init
from torch.overrides import TorchFunctionMode

_DRAWS = frozenset(
    [
        *(init.uniform_, init.normal_, init.trunc_normal_, init.xavier_uniform_, init.xavier_normal_),
        *(init.kaiming_uniform_, init.kaiming_normal_, torch.Tensor.uniform_, torch.Tensor.normal_),
    ]
)


class BlankWeights(TorchFunctionMode):
    """Within it, what fills a tensor with random numbers leaves in it whatever the memory holds.

    Only for models all of whose parameters are then loaded from a file, and which refuse one that lacks any.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = kwargs or {}
        if func in _DRAWS:
            return args[0] if args else given["tensor"]
        return func(*args, **given)
