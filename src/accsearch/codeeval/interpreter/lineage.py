"""The order in which classes are searched for an attribute."""

from accsearch.codeeval.interpreter import modules
from accsearch.codeeval.values import Symbol, UserClass, Value

_MAX_MERGED = 200
"""Ancestors in all beyond which the exact order of several bases is not worth its time."""


def ancestors(cls: Value | None) -> list[Value]:
    """Return `cls` and its bases in Python's method resolution order; where none exists, depth first."""
    if not isinstance(cls, UserClass):
        return [] if cls is None else [cls]
    if cls.order is None:
        cls.order = _merged(cls)
    return cls.order


def _merged(cls: UserClass) -> list[Value]:
    sequences = [list(ancestors(base)) for base in cls.bases] + [list(cls.bases)]
    if len(cls.bases) == 1 or sum(map(len, sequences)) > _MAX_MERGED:
        return [cls, *dict.fromkeys(item for sequence in sequences[:-1] for item in sequence)]
    order: list[Value] = [cls]
    while sequences := [sequence for sequence in sequences if sequence]:
        heads = (sequence[0] for sequence in sequences)
        head = next(
            (head for head in heads if not any(head in other[1:] for other in sequences)), sequences[0][0]
        )
        order.append(head)
        sequences = [[item for item in sequence if item != head] for sequence in sequences]
    return order


def find(cls: Value | None, name: str, after: UserClass | None = None) -> Value | None:
    """Return the attribute that the program's own classes give to `cls`, searched behind `after` if given."""
    order = ancestors(cls)
    if after is not None:
        order = order[order.index(after) + 1 :] if after in order else []
    for ancestor in order:
        if isinstance(ancestor, UserClass) and name in ancestor.state:
            found: Value = ancestor.state[name]
            return found
    return None


def library_base(cls: Value | None) -> Symbol | None:
    """Return the first class in the order that comes from a library."""
    for ancestor in ancestors(cls):
        if isinstance(ancestor, Symbol):
            return ancestor
    return None


def is_foreign_class(value: Value) -> bool:
    """Tell whether a class is of code elsewhere, of which it is unknown what its constructor does."""
    if isinstance(value, Symbol):
        return not modules.is_library(value)
    return not isinstance(value, UserClass)


def is_foreign(cls: Value | None) -> bool:
    """Tell whether code elsewhere may have a part in making the instances of a class."""
    return any(is_foreign_class(item) or getattr(item, "elsewhere", False) for item in ancestors(cls))
