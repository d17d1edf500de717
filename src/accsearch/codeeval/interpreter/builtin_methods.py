"""Methods of lists, dicts, sets, strings, iterators and paths."""

from collections.abc import Callable
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from accsearch.codeeval.interpreter import builtin_calls, constants, iteration, operators, subscripts
from accsearch.codeeval.interpreter.constants import NotConstant
from accsearch.codeeval.interpreter.heap import same
from accsearch.codeeval.values import (
    Arguments,
    Constant,
    Dictionary,
    Namespace,
    Sequence,
    Stream,
    Symbol,
    Tuple,
    Unknown,
    Value,
)

if TYPE_CHECKING:
    from accsearch.codeeval.interpreter.path import Machine

_TEXT_METHODS = frozenset(
    {
        "bit_length", "capitalize", "casefold", "conjugate", "count", "decode", "encode", "endswith", "find",
        "hex", "index", "is_integer", "isalpha", "isdigit", "islower", "isnumeric", "isspace", "isupper",
        "join", "lower", "lstrip", "partition", "removeprefix", "removesuffix", "replace", "rfind", "rindex",
        "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip", "swapcase", "title",
        "upper",
    }
)  # fmt: skip
_PATH_METHODS = frozenset({"as_posix", "joinpath", "with_name", "with_suffix", "with_stem", "is_absolute"})
_MAX_SOURCE = 4096


def call(machine: "Machine", receiver: Value, name: str, given: Arguments) -> Value:
    """Return the result of `receiver.name(…)` for a receiver of a builtin type."""
    if isinstance(receiver, Dictionary | Namespace):
        handler = _DICT_METHODS.get(name)
        return Unknown() if handler is None else handler(machine, receiver, given)
    if isinstance(receiver, Sequence):
        return _of_sequence(machine, receiver, name, given)
    if isinstance(receiver, Tuple) and name in ("index", "count"):
        return _pure_method(machine, receiver, name, given)
    if isinstance(receiver, Stream):
        if name in ("send", "__next__", "__anext__"):
            return machine.advance(receiver) or Unknown()
        return Unknown()
    return _of_constant(machine, receiver, name, given) if isinstance(receiver, Constant) else Unknown()


def _of_constant(machine: "Machine", receiver: Constant, name: str, given: Arguments) -> Value:
    content = receiver.value
    if isinstance(content, PurePath):
        return _pure_method(machine, receiver, name, given) if name in _PATH_METHODS else Unknown()
    if isinstance(content, str) and name == "format":
        return _format(content, given)
    if name == "replace" and isinstance(content, str) and not _is_bounded_replacement(content, given):
        return Unknown()
    if isinstance(content, str) and name == "join" and given.positional:
        items = iteration.collect(machine, given.positional[0])
        given = Arguments([Unknown() if items is None else Tuple(items)])
    if name not in _TEXT_METHODS or (isinstance(content, str | bytes) and len(content) > _MAX_SOURCE):
        return Unknown()
    return _pure_method(machine, receiver, name, given)


def _is_bounded_replacement(text: str, given: Arguments) -> bool:
    texts = [value.value for value in given.positional[:2] if isinstance(value, Constant)]
    if len(texts) < 2 or not all(isinstance(part, str) for part in texts):
        return False
    return (text.count(texts[0]) + 1) * len(texts[1]) <= constants.MAX_TEXT


def _format(text: str, given: Arguments) -> Value:
    if given.open_positional or given.open_keywords:
        return Unknown()
    try:
        positional = [constants.to_python(value) for value in given.positional]
        keywords = {name: constants.to_python(value) for name, value in given.keywords.items()}
        result = operators.format_text(text, positional, keywords)
    except (*operators.FOLDING_ERRORS, NotConstant):
        return Unknown()
    return Constant(result) if constants.is_small(result) else Unknown()


def _pure_method(machine: "Machine", receiver: Value, name: str, given: Arguments) -> Value:
    try:
        function = getattr(constants.to_python(receiver), name)
        for value in given.positional:
            if (
                isinstance(value, Constant)
                and isinstance(value.value, str)
                and len(value.value) > _MAX_SOURCE
            ):
                return Unknown()
    except (AttributeError, NotConstant):
        return Unknown()
    return builtin_calls.pure(machine, function, given)


def _of_sequence(machine: "Machine", receiver: Sequence, name: str, given: Arguments) -> Value:
    machine.tick(constants.cost(receiver))
    if name == "copy":
        made = machine.sequence(receiver.items, receiver.kind)
        machine.heap.write(made, "open", bool(receiver.state.get("open")))
        return made
    if name in ("index", "count"):
        return _pure_method(machine, receiver, name, given)
    change = _LIST_CHANGES.get(name)
    if change is None:
        if name not in _LIST_QUESTIONS:
            machine.heap.write(receiver, "open", True)
        return Unknown()
    if given.open_positional or receiver.state.get("open"):
        machine.heap.write(receiver, "open", True)
        return Unknown()
    items = list(receiver.items)
    if name == "pop" and receiver.kind == "set" and len(items) > 1:
        machine.heap.write(receiver, "open", True)
        return Unknown()
    try:
        result = change(machine, items, given)
    except NotConstant:
        machine.heap.write(receiver, "open", True)
        return Unknown()
    except (IndexError, TypeError, ValueError):
        return Unknown()
    if len(items) > constants.MAX_ITEMS:
        machine.heap.write(receiver, "open", True)
        return result
    machine.heap.write(receiver, "items", tuple(items))
    return result


_LIST_QUESTIONS = frozenset(
    {
        "__contains__", "__eq__", "__getitem__", "__iter__", "__len__", "__ne__", "difference", "intersection",
        "isdisjoint", "issubset", "issuperset", "symmetric_difference", "union",
    }
)  # fmt: skip
"""Methods of lists and sets that change nothing."""


def _append(machine: "Machine", items: list[Value], given: Arguments) -> Value:
    items.append(given.positional[0])
    return Constant(None)


def _add(machine: "Machine", items: list[Value], given: Arguments) -> Value:
    if not any(same(item, given.positional[0]) for item in items):
        items.append(given.positional[0])
    return Constant(None)


def _extend(machine: "Machine", items: list[Value], given: Arguments) -> Value:
    for source in given.positional:
        new = iteration.collect(machine, source)
        if new is None:
            raise NotConstant
        items.extend(new)
    return Constant(None)


def _insert(machine: "Machine", items: list[Value], given: Arguments) -> Value:
    items.insert(constants.to_python(given.positional[0]), given.positional[1])
    return Constant(None)


def _pop(machine: "Machine", items: list[Value], given: Arguments) -> Value:
    return items.pop(constants.to_python(given.positional[0]) if given.positional else -1)


def _pop_left(machine: "Machine", items: list[Value], given: Arguments) -> Value:
    return items.pop(0)


def _remove(machine: "Machine", items: list[Value], given: Arguments) -> Value:
    wanted = given.positional[0]
    for index, item in enumerate(items):
        if item is wanted:
            del items[index]
            return Constant(None)
    values = [constants.to_python(item) for item in items]
    del items[values.index(constants.to_python(wanted))]
    return Constant(None)


def _clear(machine: "Machine", items: list[Value], given: Arguments) -> Value:
    items.clear()
    return Constant(None)


def _reverse(machine: "Machine", items: list[Value], given: Arguments) -> Value:
    items.reverse()
    return Constant(None)


def _sort(machine: "Machine", items: list[Value], given: Arguments) -> Value:
    ordered = machine.call(Symbol("builtins.sorted"), Arguments([Tuple(tuple(items))], given.keywords))
    if not isinstance(ordered, Sequence):
        raise NotConstant
    items[:] = ordered.items
    return Constant(None)


_LIST_CHANGES: dict[str, Callable[["Machine", list[Value], Arguments], Value]] = {
    "append": _append, "add": _add, "extend": _extend, "update": _extend, "insert": _insert, "pop": _pop,
    "popleft": _pop_left, "remove": _remove, "discard": _remove, "clear": _clear, "reverse": _reverse,
    "sort": _sort,
}  # fmt: skip


def _get(machine: "Machine", receiver: Dictionary | Namespace, given: Arguments) -> Value:
    key = given.get("", 0)
    default = given.get("default", 1) or Constant(None)
    if key is None:
        return Unknown()
    if isinstance(receiver, Namespace):
        found = receiver.target.state.get(key.value) if isinstance(key, Constant) else Unknown()
        return found if isinstance(found, Value) else default
    return subscripts.lookup(receiver, key) or default


def _update(machine: "Machine", receiver: Dictionary | Namespace, given: Arguments) -> Value:
    if isinstance(receiver, Namespace):
        for source in (*given.positional[:1], machine.names(given.keywords)):
            if isinstance(source, Dictionary):
                for key, value in source.entries.values():
                    subscripts.set_item(machine, receiver, key, value)
        return Constant(None)
    for source in given.positional[:1]:
        subscripts.update(machine, receiver, source)
    if given.open_keywords or given.open_positional:
        subscripts.spoil(machine, receiver)
    subscripts.update(machine, receiver, machine.names(given.keywords))
    return Constant(None)


def _pop_key(machine: "Machine", receiver: Dictionary | Namespace, given: Arguments) -> Value:
    found = _get(machine, receiver, given)
    if given.positional:
        subscripts.delete_item(machine, receiver, given.positional[0])
    return found


def _set_default(machine: "Machine", receiver: Dictionary | Namespace, given: Arguments) -> Value:
    key = given.get("", 0)
    if key is None or not isinstance(receiver, Dictionary):
        return Unknown()
    found = subscripts.lookup(receiver, key)
    if found is None:
        found = given.get("default", 1) or Constant(None)
        subscripts.set_item(machine, receiver, key, found)
    return found


def _pairs(machine: "Machine", receiver: Dictionary | Namespace) -> list[tuple[Value, Value]] | None:
    if isinstance(receiver, Dictionary):
        return None if receiver.open else list(receiver.entries.values())
    return [(Constant(name), value) for name, value in receiver.target.state.items() if isinstance(name, str)]


def _view(pick: Callable[[tuple[Value, Value]], Value]) -> Any:
    def view(machine: "Machine", receiver: Dictionary | Namespace, given: Arguments) -> Value:
        pairs = _pairs(machine, receiver)
        return Unknown() if pairs is None else Tuple(tuple(pick(pair) for pair in pairs))

    return view


def _copy(machine: "Machine", receiver: Dictionary | Namespace, given: Arguments) -> Value:
    made = machine.dictionary({})
    subscripts.update(machine, made, receiver)
    return made


def _clear_dict(machine: "Machine", receiver: Dictionary | Namespace, given: Arguments) -> Value:
    if isinstance(receiver, Dictionary):
        machine.heap.write(receiver, "entries", {})
        machine.heap.write(receiver, "open", False)
    return Constant(None)


def _item(machine: "Machine", receiver: Dictionary | Namespace, given: Arguments) -> Value:
    return subscripts.get_item(machine, receiver, given.positional[0]) if given.positional else Unknown()


def _store(machine: "Machine", receiver: Dictionary | Namespace, given: Arguments) -> Value:
    if len(given.positional) == 2:
        subscripts.set_item(machine, receiver, given.positional[0], given.positional[1])
    return Constant(None)


_DICT_METHODS: dict[str, Callable[["Machine", Dictionary | Namespace, Arguments], Value]] = {
    "get": _get, "update": _update, "pop": _pop_key, "setdefault": _set_default, "copy": _copy,
    "clear": _clear_dict, "items": _view(lambda pair: Tuple(pair)), "keys": _view(lambda pair: pair[0]),
    "values": _view(lambda pair: pair[1]), "__getitem__": _item, "__setitem__": _store,
}  # fmt: skip
