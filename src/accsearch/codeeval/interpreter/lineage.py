"""The order in which classes are searched for an attribute."""

from accsearch.codeeval.values import Symbol, UserClass, Value


def ancestors(cls: Value | None) -> list[Value]:
    """Return `cls` and its bases in Python's method resolution order; where none exists, depth first."""
    if not isinstance(cls, UserClass):
        return [] if cls is None else [cls]
    sequences = [ancestors(base) for base in cls.bases] + [list(cls.bases)]
    order: list[Value] = [cls]
    while sequences := [sequence for sequence in sequences if sequence]:
        for sequence in sequences:
            head = sequence[0]
            if not any(head in other[1:] for other in sequences):
                break
        else:
            head = sequences[0][0]
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
