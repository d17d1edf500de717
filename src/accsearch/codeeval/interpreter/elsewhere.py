"""What code that the file does not hold may do to what it is given."""

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from accsearch.codeeval.interpreter.control_flow import ExitSignal, RaiseSignal
from accsearch.codeeval.knowledge import COMMAND_LINES
from accsearch.codeeval.library_objects import Compiled, Component, Pipeline, owner_of
from accsearch.codeeval.values import (
    Arguments,
    Constant,
    Dictionary,
    Function,
    Instance,
    Method,
    Native,
    Partial,
    Sequence,
    Symbol,
    Tuple,
    Unknown,
    UserClass,
    Value,
    Wrapper,
)

if TYPE_CHECKING:
    from accsearch.codeeval.interpreter.path import Machine

HANDED = ("handed",)
"""Key in the state of a pipeline or a component that was given to code elsewhere."""

OPEN = ("open",)
"""Key in the state of an instance whose attributes may have been set by code elsewhere."""

_MAX_DEPTH = 3
_COMPILING = frozenset({"compile", "compile_repeated_blocks", "enable_cache"})
_PARSING = ("parse_args", "parse_known_args", "parse_intermixed_args")
_REORDERING = frozenset({"shuffle"})
_CHANGING = frozenset(
    {"heapify", "heappop", "heappush", "heappushpop", "heapreplace", "insort", "insort_left", "insort_right"}
)


def from_library() -> Unknown:
    """Return what a function of a known library gives."""
    return Unknown(("library", object()))


def from_command_line() -> Unknown:
    """Return what a package gives that reads the command line or a configuration."""
    return Unknown(("command line", object()))


def origin_of(value: Value) -> Any:
    """Return the origin of what an unknown is an attribute, an item or a result of."""
    origin: Any = value.origin if isinstance(value, Unknown) else None
    while isinstance(origin, tuple) and origin[0] in ("attribute", "item", "result"):
        origin = origin[1]
    return origin


def root_of(value: Value) -> str | None:
    """Return where an unknown comes from: `library`, `command line`, or None if neither is known."""
    origin = origin_of(value)
    return origin[0] if isinstance(origin, tuple) and origin[0] in ("library", "command line") else None


def is_command(decorator: Value) -> bool:
    """Tell whether a decorator lets the command line or a configuration give a function's arguments."""
    if isinstance(decorator, Symbol):
        return decorator.root in COMMAND_LINES
    if isinstance(decorator, Native) and isinstance(decorator.receiver, Wrapper):
        return decorator.receiver.kind == "command"
    return root_of(decorator) == "command line"


def result(function: Value) -> Unknown:
    """Return what a call of something unknown gives."""
    known = isinstance(function, Unknown) and root_of(function) is not None
    return (
        Unknown(("result", function.origin, object()))
        if known and isinstance(function, Unknown)
        else Unknown()
    )


def name_of(function: Value) -> str:
    """Return the last name by which a function is called."""
    if isinstance(function, Symbol):
        return function.leaf
    origin = function.origin if isinstance(function, Unknown) else None
    return str(origin[2]) if isinstance(origin, tuple) and origin[0] == "attribute" else ""


def affect(machine: "Machine", function: Value, given: Arguments) -> None:
    """Note what a call of code elsewhere may change, as far as its name or its arguments tell."""
    name = name_of(function)
    values = [*given.positional, *given.keywords.values()]
    for value in values:
        if isinstance(value, Function | Method | Partial):
            _maybe_call(machine, value)
    if name in _REORDERING or name in _CHANGING:
        for value in values:
            if isinstance(value, Sequence):
                _reorder(machine, value, name)
    if name in _PARSING:
        for value in values:
            if isinstance(value, Instance):
                open_up(machine, value, [name for name in value.state if isinstance(name, str)])
    if isinstance(function, Symbol) or root_of(function) is not None:
        return
    if name in _COMPILING:
        # Of whatever this is a module, it may be one of the pipeline's.
        machine.heap.write(machine.journal, "loose", True)


def _maybe_call(machine: "Machine", function: Function | Method | Partial) -> None:
    """Go on both with and without a call of a function that code elsewhere was given."""
    machine.heap.write(machine.journal, "elsewhere", True)
    inner: Value = function
    while isinstance(inner, Method | Partial):
        inner = inner.function

    def perhaps() -> Value:
        if machine.choose():
            with suppress(RaiseSignal, ExitSignal):
                machine.call(function, Arguments(open_positional=True, open_keywords=True))
        return Constant(None)

    if isinstance(inner, Function) and inner.node not in machine.active:
        machine.settle(inner.node.args, perhaps, exact=True)


def hand_over(machine: "Machine", given: Arguments) -> None:
    """Note that the pipelines and components among the arguments were given to code elsewhere."""
    for value in (*given.positional, *given.keywords.values()):
        _hand_over(machine, value, 0)


def _hand_over(machine: "Machine", value: object, depth: int) -> None:
    while isinstance(value, Compiled):
        value = value.inner
    if isinstance(value, Pipeline | Component):
        machine.heap.write(value, HANDED, True)
    elif isinstance(value, Native) and (owner := owner_of(value)) is not None:
        machine.heap.write(owner, HANDED, True)
    elif depth < _MAX_DEPTH:
        inner: tuple[object, ...] = ()
        if isinstance(value, Tuple | Sequence):
            inner = value.items[:20]
        elif isinstance(value, Dictionary):
            inner = tuple(content for _, content in list(value.entries.values())[:20])
        elif isinstance(value, Instance) and isinstance(value.cls, UserClass):
            inner = tuple(value.state.values())
        for part in inner:
            _hand_over(machine, part, depth + 1)


def _reorder(machine: "Machine", value: Sequence, name: str) -> None:
    items = value.items
    plain = all(isinstance(item, Constant) for item in items)
    if name in _CHANGING:
        machine.heap.write(value, "open", True)
    elif not (plain and len({repr(item.value) for item in items if isinstance(item, Constant)}) <= 1):
        machine.heap.write(value, "items", tuple(Unknown() for _ in items))


def open_up(machine: "Machine", value: Instance, names: Iterable[str] = ()) -> None:
    """Note that code elsewhere may have set attributes of an instance, those named among them."""
    for name in names:
        machine.heap.write(value, name, Unknown())
    machine.heap.write(value, OPEN, True)


def run_command(machine: "Machine", function: Value, keywords: dict[str, Value]) -> Value:
    """Run what a command line starts; what the call itself does not name is known only when it is typed."""
    if isinstance(function, Function | Method | Partial):
        return machine.call(function, Arguments(keywords=keywords, open_keywords=True, open_positional=True))
    return Unknown()
