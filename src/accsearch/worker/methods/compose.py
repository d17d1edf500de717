"""The one place that puts a set of methods on a pipeline, in the order in which they must nest."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

from accsearch.methods.catalogue import METHODS
from accsearch.task import Methods
from accsearch.worker.methods.calibration import Calibrations
from accsearch.worker.methods.session import Applied, open_session


def twin(name: str) -> ModuleType:
    """Return the module that says how the method `name` is done.

    Its `native` is a context manager that takes the session, the call to make and the method's parameters. It yields
    the call to make from then on, and on exit leaves the pipeline as it was, bit for bit. Beside the published packages
    its `package` is used: `native` unless the module defines another one, or None where it does not go with them.
    """
    return import_module(f"accsearch.worker.methods.{name}")


for _name in METHODS:
    # What cannot be imported ends the worker when it starts, not at the first trial that needs it.
    twin(_name)


@contextmanager
def apply(
    pipeline: Any,
    methods: Methods,
    *,
    implementation: str = "native",
    seed: int = 0,
    calibrations: Calibrations | None = None,
) -> Iterator[Applied]:
    """Put `methods` on `pipeline`, yield the call to make, and leave the pipeline as it was, bit for bit.

    `seed` fixes ToMe's choice of destinations. `calibrations` keep from trial to trial what methods take from plain
    generations. An empty set yields the plain pipeline.
    """
    ordered = [name for name in sorted(METHODS, key=lambda name: METHODS[name].nesting) if name in methods]
    managers: dict[str, Any] = {
        name: getattr(twin(name), implementation, twin(name).native) for name in ordered
    }
    lacking = sorted(name for name in methods if managers.get(name) is None)
    if lacking:
        raise KeyError(f"no {implementation} implementation of {', '.join(lacking)}")
    with ExitStack() as stack:
        session, applied = stack.enter_context(
            open_session(pipeline, methods, seed, calibrations or Calibrations())
        )
        for name, manager in managers.items():
            applied.invoke = stack.enter_context(manager(session, applied.invoke, methods[name]))
        yield applied
