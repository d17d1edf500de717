"""Calls, by what is called."""

from typing import TYPE_CHECKING

from accsearch.codeeval.fields import Fields
from accsearch.codeeval.interpreter import (
    builtin_calls,
    builtin_methods,
    classes,
    diffusion,
    elsewhere,
    functions,
    lineage,
    modules,
    standard_library,
)
from accsearch.codeeval.knowledge import COMMAND_LINES
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
    from accsearch.codeeval.interpreter.path import Machine

_DECORATORS = {
    "builtins.property": "property",
    "functools.cached_property": "property",
    "builtins.staticmethod": "staticmethod",
    "builtins.classmethod": "classmethod",
    "contextlib.contextmanager": "contextmanager",
    "contextlib.asynccontextmanager": "contextmanager",
}
_STARTING = frozenset({"CLI", "Fire", "auto_cli", "call", "cli", "dispatch_command", "run"})
"""Functions of packages for command lines that run the function that they are given."""

_ATTRS = frozenset({"attrs", "dataclass", "define", "frozen", "mutable", "s"})


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
    return _call_unknown(machine, function, given) if isinstance(function, Unknown) else Unknown()


def _joined(first: Arguments, second: Arguments) -> Arguments:
    return Arguments(
        [*first.positional, *second.positional],
        {**first.keywords, **second.keywords},
        first.open_positional or second.open_positional,
        first.open_keywords or second.open_keywords,
        second.origin or first.origin,
    )


def _call_unknown(machine: "Machine", function: Value, given: Arguments) -> Value:
    """Call something that the program's text does not determine; by its keyword it may generate an image."""
    elsewhere.affect(machine, function, given)
    if elsewhere.root_of(function) != "library":
        machine.heap.write(machine.journal, "elsewhere", True)
        elsewhere.hand_over(machine, given)
    steps = given.keywords.get("num_inference_steps")
    if steps is not None:
        machine.record(Fields(num_inference_steps=diffusion.whole_number(steps), methods=None))
    if len(given.positional) == 1 and not given.keywords and isinstance(given.positional[0], Function):
        if elsewhere.is_command(function):
            return _command(machine, function, given.positional[0])
        # What a library's decorator factory returns is a decorator, and those are transparent.
        return given.positional[0]
    commands = machine.journal.state.get(("commands", getattr(function, "origin", None)), ())
    if len(commands) == 1:
        return elsewhere.run_command(machine, commands[0], {})
    return elsewhere.result(function)


def _call_symbol(machine: "Machine", function: Symbol, given: Arguments) -> Value:
    for part in (builtin_calls.call, standard_library.call, diffusion.call):
        result = part(machine, function, given)
        if result is not None:
            return result
    if _makes_dataclass(function):
        return _make_dataclass(function, given)
    if modules.is_library(function):
        if not given.positional and not given.keywords and function.leaf.startswith(("is_", "has_")):
            return Unknown(("call", function.name))
        elsewhere.affect(machine, function, given)
        return elsewhere.from_library()
    if function.root in COMMAND_LINES:
        if function.leaf in _STARTING and given.positional:
            return elsewhere.run_command(machine, given.positional[0], {})
        return elsewhere.from_command_line()
    return _call_unknown(machine, function, given)


def _make_dataclass(function: Symbol, given: Arguments) -> Value:
    if given.positional and isinstance(given.positional[0], UserClass):
        classes.make_dataclass(given.positional[0])
        return given.positional[0]
    return function


def _call_native(machine: "Machine", function: Native, given: Arguments) -> Value:
    receiver = function.receiver
    if isinstance(receiver, Wrapper) and receiver.kind == "command":
        if function.name in ("main", "callback", "__call__", "invoke"):
            return machine.call(receiver, given)
        return elsewhere.from_command_line()
    if isinstance(receiver, Wrapper):
        return decorate(machine, function, given.positional[0]) if given.positional else Unknown()
    if isinstance(receiver, UserClass | Instance | Native):
        return diffusion.call_native(machine, function, given)
    return builtin_methods.call(machine, receiver, function.name, given)


def _call_wrapper(machine: "Machine", function: Wrapper, given: Arguments) -> Value:
    if function.kind == "contextmanager":
        made = machine.call(function.function, given)
        return Wrapper("context", made) if isinstance(made, Stream) else Unknown()
    if function.kind == "command":
        return elsewhere.run_command(machine, function.function, given.keywords)
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
    if elsewhere.is_command(decorator) and isinstance(value, Function | Wrapper):
        return _command(machine, decorator, value)
    if isinstance(value, UserClass) and _is_elsewhere(decorator):
        value.elsewhere = True
    if isinstance(decorator, Symbol):
        kind = _DECORATORS.get(decorator.name)
        if kind is not None:
            return Wrapper(kind, value)
        if isinstance(value, UserClass) and _makes_dataclass(decorator):
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


def _makes_dataclass(function: Symbol) -> bool:
    return function.leaf == "dataclass" or (function.root in ("attr", "attrs") and function.leaf in _ATTRS)


def _is_elsewhere(decorator: Value) -> bool:
    """Tell whether a class's decorator is of code elsewhere, which may set what its instances hold."""
    if isinstance(decorator, Symbol):
        return not (modules.is_library(decorator) or _makes_dataclass(decorator))
    return isinstance(decorator, Unknown) and elsewhere.root_of(decorator) != "library"


def _command(machine: "Machine", decorator: Value, value: Function | Wrapper) -> Value:
    """Return a function that the command line gives its arguments."""
    machine.heap.write(machine.journal, "elsewhere", True)
    function = value.function if isinstance(value, Wrapper) else value
    if isinstance(decorator, Unknown):
        key = ("commands", elsewhere.origin_of(decorator))
        machine.heap.write(machine.journal, key, (*machine.journal.state.get(key, ()), function))
    return value if isinstance(value, Wrapper) and value.kind == "command" else Wrapper("command", function)
