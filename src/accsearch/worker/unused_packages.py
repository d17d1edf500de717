"""Leave packages out that diffusers and transformers import wherever they are installed."""

import sys
from collections.abc import Collection
from typing import Any, cast

from accsearch.grid.worker_command import PACKAGES_OF_METHODS

_modules = cast(dict[str, Any], sys.modules)


def leave_out(packages: Collection[str]) -> None:
    """Let imports of `packages` fail from now on, as if they were not installed; of other packages they work again.

    torchao takes seconds to import and starts CUDA meanwhile, after which no worker can be forked. What has been
    imported already stays.
    """
    for name in PACKAGES_OF_METHODS.values():
        if name in packages:
            _modules.setdefault(name, None)
        elif _is_left_out(name):
            del _modules[name]


def wanted_by(error: ImportError) -> str | None:
    """Return the package that was left out and that an error asks for, None where it asks for no such one."""
    text = str(error).lower()
    return next((name for name in PACKAGES_OF_METHODS.values() if _is_left_out(name) and name in text), None)


def _is_left_out(name: str) -> bool:
    return name in _modules and _modules[name] is None
