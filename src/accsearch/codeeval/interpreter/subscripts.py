"""Reading and writing items of containers."""

from typing import TYPE_CHECKING

from accsearch.codeeval.interpreter import constants, lineage, operators
from accsearch.codeeval.interpreter.constants import NotConstant
from accsearch.codeeval.values import (
    Arguments,
    Constant,
    Dictionary,
    Instance,
    Namespace,
    Native,
    Repeated,
    Sequence,
    Symbol,
    Tuple,
    Unknown,
    UserClass,
    Value,
)

if TYPE_CHECKING:
    from accsearch.codeeval.interpreter.path import Machine


def get_item(machine: "Machine", container: Value, index: Value) -> Value:
    """Return `container[index]`; unknown where either is, or where Python would raise."""
    if isinstance(container, Dictionary):
        return _entry(container, index) or Unknown()
    if isinstance(container, Namespace):
        name = index.value if isinstance(index, Constant) else None
        found = container.target.state.get(name) if isinstance(name, str) else None
        return found if isinstance(found, Value) else Unknown()
    if isinstance(container, Tuple | Sequence):
        return _position(machine, container, index)
    if isinstance(container, UserClass) and container.enumeration:
        found = container.state.get(index.value) if isinstance(index, Constant) else None
        return found if isinstance(found, Value) else Unknown()
    if isinstance(container, Instance):
        if lineage.find(container.cls, "__getitem__") is not None:
            return machine.call(machine.get(container, "__getitem__"), Arguments([index]))
        if isinstance(container.cls, UserClass) and container.cls.fields is not None:
            items = machine.iterate(container)
            return Unknown() if items is None else _position(machine, Tuple(tuple(items)), index)
    if isinstance(container, UserClass | Symbol):
        # A generic alias such as Wrapper[int] is called like the class itself.
        return container if isinstance(container, UserClass) or container.leaf[:1].isupper() else Unknown()
    if isinstance(container, Unknown) and isinstance(index, Constant) and isinstance(index.value, str | int):
        return _remembered(machine, container, index.value)
    if isinstance(container, Native):
        return Native(container, "[]")
    if isinstance(container, Repeated):
        return container if isinstance(index, Constant) and isinstance(index.value, slice) else container.item
    try:
        return constants.from_python(machine, constants.to_python(container)[constants.to_python(index)])
    except (NotConstant, TypeError, ValueError, LookupError):
        return Unknown()


def _remembered(machine: "Machine", container: Unknown, index: str | int) -> Value:
    known = container.state.get(("item", index))
    if known is None:
        known = Unknown(("item", container.origin, index))
        machine.heap.write(container, ("item", index), known)
    return known if isinstance(known, Value) else Unknown()


def _entry(container: Dictionary, index: Value) -> Value | None:
    try:
        entry = container.entries.get(constants.key_of(index))
    except NotConstant:
        return Unknown()
    if entry is not None:
        return entry[1]
    if operators.has_open_key(container, index):
        return Unknown()
    factory = container.state.get("factory")
    return factory if isinstance(factory, Value) else None


def lookup(container: Dictionary, index: Value) -> Value | None:
    """Return the value under a key, None if it is certainly absent."""
    found = _entry(container, index)
    return Unknown() if found is None and container.open else found


def _position(machine: "Machine", container: Tuple | Sequence, index: Value) -> Value:
    if container.state.get("open") or not isinstance(index, Constant):
        return Unknown()
    if isinstance(index.value, slice):
        try:
            items = container.items[index.value]
        except (TypeError, ValueError):
            return Unknown()
        return Tuple(items) if isinstance(container, Tuple) else machine.sequence(items, container.kind)
    if isinstance(index.value, int) and -len(container.items) <= index.value < len(container.items):
        return container.items[index.value]
    return Unknown()


def set_item(machine: "Machine", container: Value, index: Value, content: Value) -> None:
    """Do `container[index] = content`."""
    if isinstance(container, Dictionary):
        try:
            key = constants.key_of(index)
        except NotConstant:
            spoil(machine, container)
            return
        machine.heap.write(container, "entries", {**container.entries, key: (index, content)})
    elif isinstance(container, Namespace):
        if isinstance(index, Constant) and isinstance(index.value, str):
            machine.heap.write(container.target, index.value, content)
    elif isinstance(container, Sequence):
        _set_position(machine, container, index, content)
    elif isinstance(container, Native):
        machine.set(container, "[]", content)
    elif isinstance(container, Instance) and lineage.find(container.cls, "__setitem__") is not None:
        machine.call(machine.get(container, "__setitem__"), Arguments([index, content]))
    elif (
        isinstance(container, Unknown) and isinstance(index, Constant) and isinstance(index.value, str | int)
    ):
        machine.heap.write(container, ("item", index.value), content)


def _set_position(machine: "Machine", container: Sequence, index: Value, content: Value) -> None:
    items = list(container.items)
    try:
        position = constants.to_python(index)
        if isinstance(position, slice):
            new = machine.iterate(content)
            if new is None:
                raise NotConstant
            items[position] = list(new)
        else:
            items[position] = content
    except NotConstant:
        machine.heap.write(container, "open", True)
        return
    except (TypeError, ValueError, LookupError):
        return
    machine.heap.write(container, "items", tuple(items))


def delete_item(machine: "Machine", container: Value, index: Value) -> None:
    """Do `del container[index]`."""
    try:
        if isinstance(container, Dictionary):
            key = constants.key_of(index)
            kept = {name: entry for name, entry in container.entries.items() if name != key}
            machine.heap.write(container, "entries", kept)
        elif isinstance(container, Namespace):
            machine.heap.delete(container.target, constants.to_python(index))
        elif isinstance(container, Sequence):
            items = list(container.items)
            del items[constants.to_python(index)]
            machine.heap.write(container, "items", tuple(items))
    except NotConstant:
        if isinstance(container, Dictionary | Sequence):
            machine.heap.write(container, "open", True)
    except (TypeError, ValueError, LookupError):
        return


def spoil(machine: "Machine", container: Dictionary) -> None:
    """Note that an unknown key of a dict was written: any value in it may be another now."""
    entries = {key: (name, Unknown()) for key, (name, _) in container.entries.items()}
    machine.heap.write(container, "entries", entries)
    machine.heap.write(container, "open", True)


def update(machine: "Machine", container: Dictionary, other: Value) -> None:
    """Do `container.update(other)`."""
    if isinstance(other, Dictionary):
        if other.open:
            spoil(machine, container)
        machine.heap.write(container, "entries", {**container.entries, **other.entries})
        if other.state.get("origin") is not None:
            machine.heap.write(container, "origin", other.state["origin"])
        return
    if isinstance(other, Namespace):
        for name, content in list(other.target.state.items()):
            if isinstance(name, str) and isinstance(content, Value):
                set_item(machine, container, Constant(name), content)
        return
    pairs = machine.iterate(other)
    if pairs is None:
        spoil(machine, container)
        return
    for pair in pairs:
        machine.tick()
        parts = list(machine.iterate(pair) or ())
        if len(parts) == 2:
            set_item(machine, container, parts[0], parts[1])
        else:
            spoil(machine, container)
