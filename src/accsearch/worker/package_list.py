"""The installed packages, looked up once in a process."""

import importlib.metadata
from functools import cache


def share_package_list() -> None:
    """Let all that ask which packages are installed share the first answer.

    transformers and diffusers both ask while they are imported, and reading every package's list of files takes up to
    0.6 s.
    """
    importlib.metadata.packages_distributions = cache(importlib.metadata.packages_distributions)
