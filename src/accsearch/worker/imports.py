"""What makes the imports of a worker, most of its start, take less time."""

import gc
import importlib.metadata
from functools import cache


def hasten_imports() -> None:
    """Collect no garbage until `collect_again`, and look up the installed packages once.

    Imports make a million objects that stay; collections among them take a tenth of a start. transformers and
    diffusers both ask which packages are installed, and reading every package's list of files takes up to 0.6 s.
    """
    gc.disable()
    importlib.metadata.packages_distributions = cache(importlib.metadata.packages_distributions)


def collect_again() -> None:
    """Collect garbage again, once what a task needs is loaded."""
    gc.enable()
