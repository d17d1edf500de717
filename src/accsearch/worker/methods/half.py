"""Half precision: the pipeline's models cast to float16 or bfloat16, and put back bit for bit.

Micikevicius et al.: Mixed Precision Training, ICLR 2018 (arXiv 1710.03740), as used for inference.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from typing import Any

import torch

from accsearch.methods.info import Parameters
from accsearch.worker.methods.converted_weights import converted
from accsearch.worker.methods.session import Invoke, Session

DTYPES: Mapping[str, torch.dtype] = {"float16": torch.float16, "bfloat16": torch.bfloat16}


@contextmanager
def native(session: Session, invoke: Invoke, parameters: Parameters) -> Iterator[Invoke]:
    """Cast weights and inputs to `dtype`; images come back in float32."""
    dtype = DTYPES[str(parameters["dtype"])]

    def cast(**arguments: Any) -> torch.Tensor:
        return invoke(**{name: _cast(value, dtype) for name, value in arguments.items()}).float()

    tensors = [
        tensor
        for module in session.pipeline.components.values()
        if isinstance(module, torch.nn.Module)
        for tensor in chain(module.parameters(), module.buffers())
        if tensor.is_floating_point()
    ]
    with converted(session, tensors, lambda data: data.to(dtype)):
        yield cast


def _cast(value: Any, dtype: torch.dtype) -> Any:
    return value.to(dtype) if isinstance(value, torch.Tensor) and value.is_floating_point() else value
