"""The package's public function: a trial's methods on a pipeline of the user's own."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any


def accelerate(
    pipe: Any, methods: str | Mapping[str, Mapping[str, Any]], *, seed: int = 42
) -> AbstractContextManager[Any]:
    """Return a context in which `pipe(...)` runs with acceleration methods, and after which it is as it was.

    `pipe` is a diffusers pipeline. `methods` is the id of a trial, as `best` prints it
    (`deepcache-i3-b0+tome-r0.5-d1`), or methods with their parameters (`{"deepcache": {"cache_interval": 3}}`; absent
    ones take their defaults). The pipeline computes what a trial with these methods measured; `seed` fixes ToMe's
    choice of tokens and is `worker.seed` of that trial. Images come as "pil", "np" or "pt".

    Raises accsearch.errors.UsageError for unknown methods or parameters, or methods that do not combine.
    """
    from accsearch.methods.combinations import methods_of
    from accsearch.worker.methods.accelerate import accelerated

    return accelerated(pipe, methods_of(methods) if isinstance(methods, str) else methods, seed)
