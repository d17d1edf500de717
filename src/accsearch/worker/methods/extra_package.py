"""Packages that a method needs beside the worker's own."""

from importlib import import_module
from types import ModuleType

from accsearch.methods.catalogue import METHODS
from accsearch.worker.methods.clock import Unsupported


def needed(method: str, module: str) -> ModuleType:
    """Import `module`; raises Unsupported with the command that installs it where it is not there."""
    try:
        return import_module(module)
    except ImportError as error:
        info = METHODS[method]
        command = f"pip install 'accsearch[{info.extra}]'"
        raise Unsupported(f"{method} needs the package {info.package}: {command} ({error})") from error
