"""Python's builtin functions that give iterators."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from accsearch.codeeval.interpreter import iteration
from accsearch.codeeval.values import Arguments, Constant, Repeated, Stream, Tuple, Unknown, Value

if TYPE_CHECKING:
    from accsearch.codeeval.interpreter.path import Machine


def _lazy(
    make: Callable[["Machine", Arguments], Iterator[Value] | None],
    like: Callable[["Machine", Arguments], Value] | None = None,
) -> Callable[["Machine", Arguments], Value]:
    """Return a function that gives an iterator; `like` tells what its items are like where they are unknown."""

    def lazy(machine: "Machine", given: Arguments) -> Value:
        iterator = None if given.open_positional else make(machine, given)
        if iterator is not None:
            return Stream(iterator)
        return Unknown() if like is None or not given.positional else Repeated(like(machine, given))

    return lazy


def _sources(machine: "Machine", values: list[Value]) -> list[Iterator[Value]] | None:
    sources = [machine.iterate(value) for value in values]
    known = [source for source in sources if source is not None]
    return known if len(known) == len(sources) else None


def _enumerate(machine: "Machine", given: Arguments) -> Iterator[Value] | None:
    sources = _sources(machine, given.positional[:1])
    start = given.get("start", 1) or Constant(0)
    if not sources or not isinstance(start, Constant) or not isinstance(start.value, int):
        return None
    first = start.value
    return (Tuple((Constant(index), item)) for index, item in enumerate(sources[0], first))


def _zip(machine: "Machine", given: Arguments) -> Iterator[Value] | None:
    sources = _sources(machine, given.positional)
    return None if sources is None else (Tuple(items) for items in zip(*sources, strict=False))


def _map(machine: "Machine", given: Arguments) -> Iterator[Value] | None:
    sources = _sources(machine, given.positional[1:])
    if not sources:
        return None
    function = given.positional[0]
    return (machine.call(function, Arguments(list(items))) for items in zip(*sources, strict=False))


def _same_item(machine: "Machine", given: Arguments) -> Value:
    return iteration.element(given.positional[0])


def _numbered_item(machine: "Machine", given: Arguments) -> Value:
    return Tuple((Unknown(), iteration.element(given.positional[0])))


def _zipped_item(machine: "Machine", given: Arguments) -> Value:
    return Tuple(tuple(iteration.element(value) for value in given.positional))


def _mapped_item(machine: "Machine", given: Arguments) -> Value:
    function, *sources = given.positional
    return machine.call(function, Arguments([iteration.element(value) for value in sources or [function]]))


def _filter(machine: "Machine", given: Arguments) -> Iterator[Value] | None:
    sources = _sources(machine, given.positional[1:2])
    if not sources:
        return None
    function = given.positional[0]

    def passes(item: Value) -> bool:
        plain = isinstance(function, Constant)
        return machine.truth(item if plain else machine.call(function, Arguments([item])))

    return (item for item in sources[0] if passes(item))


def _reversed(machine: "Machine", given: Arguments) -> Iterator[Value] | None:
    items = iteration.collect(machine, given.positional[0]) if given.positional else None
    return None if items is None else iter(items[::-1])


def _iter(machine: "Machine", given: Arguments) -> Iterator[Value] | None:
    sources = _sources(machine, given.positional) if len(given.positional) == 1 else None
    return sources[0] if sources else None


HANDLERS: dict[str, Callable[["Machine", Arguments], Value]] = {
    "enumerate": _lazy(_enumerate, _numbered_item),
    "zip": _lazy(_zip, _zipped_item),
    "map": _lazy(_map, _mapped_item),
    "filter": _lazy(_filter),
    "reversed": _lazy(_reversed, _same_item),
    "iter": _lazy(_iter, _same_item),
    "aiter": _lazy(_iter, _same_item),
}
