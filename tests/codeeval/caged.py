"""The name by which programs outside this repository import `tests.sandbox.sandboxed`."""

from tests.sandbox.sandboxed import ISOLATED, LIMITS, PIPE, load, running

__all__ = ["ISOLATED", "LIMITS", "PIPE", "load", "running"]
