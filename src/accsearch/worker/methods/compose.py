"""The one place that puts a set of methods on a pipeline, in the order in which they must nest."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

from accsearch.task import Methods, Scalar
from accsearch.worker.methods import package
from accsearch.worker.methods.channels_last import channels_last
from accsearch.worker.methods.compile import compiled
from accsearch.worker.methods.deepcache import deepcache
from accsearch.worker.methods.fewer_steps import fewer_steps
from accsearch.worker.methods.half import half
from accsearch.worker.methods.session import Applied, Invoke, Session, open_session
from accsearch.worker.methods.tgate import tgate
from accsearch.worker.methods.tome import tome

Method = Callable[[Session, Invoke, Mapping[str, Scalar]], AbstractContextManager[Invoke]]

NATIVE: Mapping[str, Method] = {
    # From the inside out. T-GATE's cache goes round ToMe's merge, and its halving round DeepCache's features.
    "half": half,
    "channels_last": channels_last,
    "compile": compiled,
    "deepcache": deepcache,
    "tome": tome,
    "tgate": tgate,
    "fewer_steps": fewer_steps,
}
OUTER: Mapping[str, Method] = {
    "tome": package.tome,
    "half": half,
    "channels_last": channels_last,
    "fewer_steps": fewer_steps,
}
"""What goes round the call that the packages of DeepCache and T-GATE yield."""


@contextmanager
def apply(
    pipeline: Any, methods: Methods, *, implementation: str = "native", seed: int = 0
) -> Iterator[Applied]:
    """Put `methods` on `pipeline`, yield the call to make, and leave the pipeline as it was, bit for bit.

    `seed` fixes ToMe's choice of destinations. An empty set yields the plain pipeline.
    """
    table = NATIVE if implementation == "native" else _package(methods)
    unknown = sorted(set(methods) - set(table))
    if unknown:
        raise KeyError(f"no {implementation} implementation of {', '.join(unknown)}")
    with ExitStack() as stack:
        session, applied = stack.enter_context(open_session(pipeline, seed))
        for name, method in table.items():
            if name in methods:
                applied.invoke = stack.enter_context(method(session, applied.invoke, methods[name]))
        yield applied


def _package(methods: Methods) -> Mapping[str, Method]:
    """Return the packages' methods, DeepCache inside T-GATE where both are asked for."""
    if {"deepcache", "tgate"} <= methods.keys():
        inner: dict[str, Method] = {"tgate": package.tgate_with(methods["deepcache"]), "deepcache": _joined}
    else:
        inner = {"deepcache": package.deepcache, "tgate": package.tgate}
    return {**inner, **OUTER}


@contextmanager
def _joined(_session: Session, invoke: Invoke, _parameters: Mapping[str, Scalar]) -> Iterator[Invoke]:
    """Do nothing: T-GATE's loader has set DeepCache up."""
    yield invoke
