"""Copies of values, as the module `copy` makes them."""

from typing import TYPE_CHECKING

from accsearch.codeeval.values import Arguments, Dictionary, Instance, Sequence, Tuple, Unknown, Value

if TYPE_CHECKING:
    from accsearch.codeeval.interpreter.path import Machine


def shallow(machine: "Machine", given: Arguments) -> Value:
    """Return `copy.copy(value)`."""
    value = given.get("x", 0)
    return Unknown() if value is None else _copy(machine, value, {}, deep=False)


def deep(machine: "Machine", given: Arguments) -> Value:
    """Return `copy.deepcopy(value)`: the copy's modules and settings are its own."""
    value = given.get("x", 0)
    return Unknown() if value is None else _copy(machine, value, {}, deep=True)


def _copy(machine: "Machine", value: Value, made: dict[int, Value], *, deep: bool) -> Value:
    machine.tick()
    if id(value) in made:
        return made[id(value)]
    if isinstance(value, Tuple) and deep:
        return Tuple(tuple(_copy(machine, item, made, deep=True) for item in value.items))
    if isinstance(value, Sequence):
        copied: Value = Sequence(value.kind)
    elif isinstance(value, Dictionary):
        copied = Dictionary()
    elif isinstance(value, Instance):
        copied = type(value)(value.cls)
    else:
        return value
    made[id(value)] = copied

    def inner(content: object) -> object:
        if not deep:
            return content
        if isinstance(content, Value):
            return _copy(machine, content, made, deep=True)
        if isinstance(content, tuple):
            return tuple(inner(item) for item in content)
        if isinstance(content, dict):
            return {key: inner(item) for key, item in content.items()}
        return content

    for key, content in value.state.items():
        machine.heap.write(copied, key, inner(content))
    return copied
