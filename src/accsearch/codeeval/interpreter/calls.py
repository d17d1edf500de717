"""Calls, by what is called."""

from typing import TYPE_CHECKING

from accsearch.codeeval.fields import Fields
from accsearch.codeeval.interpreter import (
    builtin_calls,
    builtin_methods,
    classes,
    diffusion,
    functions,
    lineage,
    standard_library,
)
from accsearch.codeeval.knowledge import KNOWN_PACKAGES
from accsearch.codeeval.library_objects import Compiled, Component, Pipeline
from accsearch.codeeval.values import (
    Arguments,
    Constant,
    Function,
    Instance,
    Method,
    Native,
    Partial,
    Stream,
    Symbol,
    Unknown,
    UserClass,
    Value,
    Wrapper,
)

if TYPE_CHECKING:
    from accsearch.codeeval.interpreter.machine import Machine

_DECORATORS = {
    "builtins.property": "property",
    "functools.cached_property": "property",
    "builtins.staticmethod": "staticmethod",
    "builtins.classmethod": "classmethod",
    "contextlib.contextmanager": "contextmanager",
    "contextlib.asynccontextmanager": "contextmanager",
}


def call(machine: "Machine", function: Value, given: Arguments) -> Value:
    """Return the result of a call."""
    if isinstance(function, Function):
        return functions.invoke(machine, function, given)
    if isinstance(function, Method):
        return machine.call(function.function, given.prefixed(function.receiver))
    if isinstance(function, Partial):
        return machine.call(function.function, _joined(function.arguments, given))
    if isinstance(function, Symbol):
        return _call_symbol(machine, function, given)
    if isinstance(function, Native):
        return _call_native(machine, function, given)
    if isinstance(function, UserClass):
        return classes.instantiate(machine, function, given)
    if isinstance(function, Wrapper):
        return _call_wrapper(machine, function, given)
    if isinstance(function, Compiled):
        return _call_compiled(machine, function, given)
    if isinstance(function, Instance):
        return _call_instance(machine, function, given)
    return _call_unknown(machine, given) if isinstance(function, Unknown) else Unknown()


def _joined(first: Arguments, second: Arguments) -> Arguments:
    return Arguments(
        [*first.positional, *second.positional],
        {**first.keywords, **second.keywords},
        first.open_positional or second.open_positional,
        first.open_keywords or second.open_keywords,
        second.origin or first.origin,
    )


def _call_unknown(machine: "Machine", given: Arguments) -> Value:
    """Call something that the program's text does not determine; by its keyword it may generate an image."""
    machine.heap.write(machine.journal, "elsewhere", True)
    steps = given.keywords.get("num_inference_steps")
    if steps is not None:
        machine.record(Fields(num_inference_steps=diffusion.whole_number(steps), methods=None))
    if len(given.positional) == 1 and not given.keywords and isinstance(given.positional[0], Function):
        # What a library's decorator factory returns is a decorator, and those are transparent.
        return given.positional[0]
    return Unknown()


def _call_symbol(machine: "Machine", function: Symbol, given: Arguments) -> Value:
    for part in (builtin_calls.call, standard_library.call, diffusion.call):
        result = part(machine, function, given)
        if result is not None:
            return result
    if function.root in KNOWN_PACKAGES or standard_library.is_standard(function):
        if not given.positional and not given.keywords and function.leaf.startswith(("is_", "has_")):
            return Unknown(("call", function.name))
        return Unknown()
    return _call_unknown(machine, given)


def _call_native(machine: "Machine", function: Native, given: Arguments) -> Value:
    receiver = function.receiver
    if isinstance(receiver, Wrapper):
        return decorate(machine, function, given.positional[0]) if given.positional else Unknown()
    if isinstance(receiver, UserClass | Instance | Native):
        return diffusion.call_native(machine, function, given)
    return builtin_methods.call(machine, receiver, function.name, given)


def _call_wrapper(machine: "Machine", function: Wrapper, given: Arguments) -> Value:
    if function.kind == "contextmanager":
        made = machine.call(function.function, given)
        return Wrapper("context", made) if isinstance(made, Stream) else Unknown()
    return machine.call(function.function, given) if function.kind == "staticmethod" else Unknown()


def _call_compiled(machine: "Machine", function: Compiled, given: Arguments) -> Value:
    inner = function.inner
    if isinstance(inner, Pipeline):
        return diffusion.generate(machine, inner, given, compiled=function)
    return Unknown() if isinstance(inner, Component | Native) else machine.call(inner, given)


def _call_instance(machine: "Machine", function: Instance, given: Arguments) -> Value:
    own = lineage.find(function.cls, "__call__")
    if isinstance(function, Pipeline):
        return diffusion.call_pipeline(machine, function, own, given)
    if own is None and lineage.library_base(function.cls) is not None:
        own = lineage.find(function.cls, "forward")
    if own is not None:
        return machine.call(own, given.prefixed(function))
    return Unknown()


def decorate(machine: "Machine", decorator: Value, value: Value) -> Value:
    """Return what a decorator makes of a function or class; one of a library changes nothing."""
    if isinstance(decorator, Symbol):
        kind = _DECORATORS.get(decorator.name)
        if kind is not None:
            return Wrapper(kind, value)
        if decorator.leaf == "dataclass" and isinstance(value, UserClass):
            classes.make_dataclass(value)
        if decorator.name == "atexit.register":
            machine.at_exit(value)
        return value
    if isinstance(decorator, Native):
        receiver = decorator.receiver
        if isinstance(receiver, Wrapper) and decorator.name == "setter":
            return Wrapper(receiver.kind, receiver.function, value)
        return value
    if isinstance(decorator, Unknown | Constant):
        return value
    return machine.call(decorator, Arguments([value]))
