"""Keep a worker from importing packages that its task does without."""

import sys
from collections.abc import Collection
from typing import Any, cast

from accsearch.methods.catalogue import METHODS

_USED_BY_NO_WORKER = "sklearn"
"""transformers imports it for a metric that no worker asks for, and with it pandas and pyarrow, whose thread keeps a
process from being forked."""
_MODULES = frozenset({_USED_BY_NO_WORKER, *(info.module for info in METHODS.values() if info.module)})
_imported = cast(dict[str, Any], sys.modules)


def leave_out_unused(used: Collection[str]) -> None:
    """Let imports of scikit-learn fail, as if it were not installed, and of the methods' extras that are not `used`.

    diffusers and transformers import torchao wherever it is installed. That takes seconds and starts CUDA, after which
    no worker can be forked. What has been imported already stays.
    """
    for name in _MODULES:
        if name not in used:
            _imported.setdefault(name, None)
        elif _is_left_out(name):
            del _imported[name]


def left_out_package(error: ImportError) -> str | None:
    """Return the package that was left out and that an error asks for, None where it asks for no such one."""
    text = str(error).lower()
    return next((name for name in sorted(_MODULES) if _is_left_out(name) and name in text), None)


def _is_left_out(name: str) -> bool:
    return name in _imported and _imported[name] is None
