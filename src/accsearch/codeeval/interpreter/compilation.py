"""What `torch.compile` makes of modules, and containers of modules that it made."""

from typing import TYPE_CHECKING

from accsearch.codeeval.interpreter import constants, elsewhere, iteration
from accsearch.codeeval.library_objects import Compiled
from accsearch.codeeval.values import (
    Arguments,
    Dictionary,
    Native,
    Repeated,
    Sequence,
    Stream,
    Symbol,
    Tuple,
    Value,
)

if TYPE_CHECKING:
    from accsearch.codeeval.interpreter.path import Machine


BLOCKS = {"regions": "blocks"}
"""How it is told that single blocks are compiled, each by itself."""


def compiled(given: Arguments, *, blocks: bool = False) -> Value:
    """Return the result of `torch.compile`, or of a function that compiles the `blocks` of a module."""
    model = given.get("model", 0) or given.get("module", 0)
    parameters = {
        name: constants.plain(value)
        for name, value in given.keywords.items()
        if name not in ("model", "module")
    }
    if blocks or _is_inside(model):
        parameters |= BLOCKS
    # Without a model it is a decorator, and what it decorates does the same as before.
    return Symbol("torch.compile") if model is None else Compiled(model, parameters)


def _is_inside(model: Value | None) -> bool:
    """Tell whether a value is one of the modules inside a component, or an attribute of one."""
    while isinstance(model, Native):
        if model.name == "[]":
            return True
        model = model.receiver
    return False


def collected(machine: "Machine", given: Arguments) -> Value:
    """Return a container of modules, which is compiled where one of them is."""
    waiting = list(given.positional)
    while waiting:
        value = waiting.pop()
        if isinstance(value, Compiled):
            return Compiled(elsewhere.from_library(), value.parameters)
        if isinstance(value, Repeated):
            waiting.append(value.item)
        elif isinstance(value, Stream):
            waiting += iteration.collect(machine, value) or ()
        elif isinstance(value, Tuple | Sequence):
            waiting += value.items
        elif isinstance(value, Dictionary):
            waiting += [content for _, content in value.entries.values()]
    return elsewhere.from_library()
