"""The items of a value, in order."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from accsearch.codeeval.interpreter import constants, lineage
from accsearch.codeeval.library_objects import owner_of
from accsearch.codeeval.values import (
    Arguments,
    Constant,
    Dictionary,
    Instance,
    Namespace,
    Native,
    Repeated,
    Sequence,
    Stream,
    Tuple,
    Unknown,
    UserClass,
    Value,
)

if TYPE_CHECKING:
    from accsearch.codeeval.interpreter.path import Machine


def iterate(machine: "Machine", value: Value) -> Iterator[Value] | None:
    """Return an iterator over the items of `value`, None if they are unknown."""
    if isinstance(value, Tuple):
        return iter(value.items)
    if isinstance(value, Sequence):
        if value.kind == "set" and _is_shuffled(value):
            return iter([Unknown() for _ in value.items])
        return None if value.state.get("open") else _live(value)
    if isinstance(value, Dictionary):
        return None if value.open else iter([key for key, _ in value.entries.values()])
    if isinstance(value, Namespace):
        return iter([Constant(name) for name in value.target.state if isinstance(name, str)])
    if isinstance(value, Stream):
        return _drain(machine, value)
    if isinstance(value, Constant):
        return _pieces(value)
    if isinstance(value, UserClass) and value.enumeration:
        return iter([member for member in value.state.values() if isinstance(member, Instance)])
    if isinstance(value, Instance):
        return _of_instance(machine, value)
    return None


def collect(machine: "Machine", value: Value) -> tuple[Value, ...] | None:
    """Return all items of an iterable, None if they are unknown or too many."""
    source = iterate(machine, value)
    if source is None:
        return None
    items: list[Value] = []
    for item in source:
        machine.tick()
        items.append(item)
        if len(items) > constants.MAX_ITEMS:
            return None
    return tuple(items)


def element(value: Value) -> Value:
    """Return what each item of an iterable is like whose items are unknown."""
    if isinstance(value, Repeated):
        return value.item
    return Native(value, "[]") if owner_of(value) is not None else Unknown()


def another(item: Value) -> Value:
    """Return another item of the same kind."""
    if isinstance(item, Tuple):
        return Tuple(tuple(another(part) for part in item.items))
    return Unknown() if isinstance(item, Unknown) else item


def _is_shuffled(value: Sequence) -> bool:
    """Tell whether a set's order is another in each run, as that of texts is."""
    texts = [isinstance(item, Constant) and isinstance(item.value, str | bytes) for item in value.items]
    return len(texts) > 1 and any(texts) and not value.state.get("open")


def _live(value: Sequence) -> Iterator[Value]:
    """Follow a list that may change while it is iterated, as Python does."""
    index = 0
    while index < len(value.items):
        yield value.items[index]
        index += 1


def _drain(machine: "Machine", stream: Stream) -> Iterator[Value]:
    while (item := machine.advance(stream)) is not None:
        yield item


def _pieces(value: Constant) -> Iterator[Value] | None:
    content = value.value
    if isinstance(content, str | bytes | range):
        return (Constant(item) for item in content)
    return None


def _of_instance(machine: "Machine", value: Instance) -> Iterator[Value] | None:
    if lineage.find(value.cls, "__iter__") is not None:
        made = machine.call(machine.get(value, "__iter__"), Arguments())
        return None if isinstance(made, Instance) else iterate(machine, made)
    if isinstance(value.cls, UserClass) and value.cls.fields is not None and _is_named_tuple(value.cls):
        return iter([value.state[name] for name in value.cls.fields if name in value.state])
    return None


def _is_named_tuple(cls: UserClass) -> bool:
    return any(getattr(base, "leaf", "") == "NamedTuple" for base in cls.bases)
