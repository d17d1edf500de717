"""The published packages (DeepCache, tgate, tomesd) behind the same interface, as the reference."""

from accsearch.worker.methods.package.deepcache import deepcache
from accsearch.worker.methods.package.tgate import tgate, tgate_with
from accsearch.worker.methods.package.tome import tome

__all__ = ["deepcache", "tgate", "tgate_with", "tome"]
