"""Python's builtin functions."""

import ast
import builtins
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from accsearch.codeeval.interpreter import (
    conditions,
    constants,
    iteration,
    iterators,
    operators,
    reflection,
    subscripts,
)
from accsearch.codeeval.interpreter.constants import NotConstant
from accsearch.codeeval.interpreter.control_flow import ExitSignal
from accsearch.codeeval.values import (
    Arguments,
    Constant,
    Dictionary,
    Instance,
    Namespace,
    Repeated,
    Sequence,
    Stream,
    Symbol,
    Tuple,
    Unknown,
    Value,
    Wrapper,
)

if TYPE_CHECKING:
    from accsearch.codeeval.interpreter.path import Machine

NAMES = frozenset(dir(builtins))

_PURE: dict[str, Callable[..., Any]] = {
    "abs": abs, "round": round, "sum": sum, "max": max, "min": min, "int": int, "float": float, "str": str,
    "bool": bool, "repr": repr, "ord": ord, "chr": chr, "divmod": divmod, "bytes": bytes, "hex": hex,
    "bin": bin, "complex": complex, "slice": slice, "format": format, "ascii": ascii, "sorted": sorted,
}  # fmt: skip


def call(machine: "Machine", function: Symbol, given: Arguments) -> Value | None:
    """Return the result of calling a builtin, None if `function` is none."""
    if function.root != "builtins":
        return None
    handler = _HANDLERS.get(function.leaf)
    if handler is not None:
        return handler(machine, given)
    if function.leaf in _PURE:
        return pure(machine, _PURE[function.leaf], given)
    if isinstance(getattr(builtins, function.leaf, None), type) and function.leaf[:1].isupper():
        return Instance(function)
    return Unknown()


def pure(machine: "Machine", function: Callable[..., Any], given: Arguments) -> Value:
    """Return the result of a function without side effects on constants."""
    if given.open_positional or given.open_keywords:
        return Unknown()
    machine.tick(sum(map(constants.cost, given.positional)))
    try:
        positional = [constants.to_python(value) for value in given.positional]
        keywords = {name: constants.to_python(value) for name, value in given.keywords.items()}
        if function is bytes and isinstance(positional[0], int):
            return Unknown()
        return constants.from_python(machine, function(*positional, **keywords))
    except (*operators.FOLDING_ERRORS, NotConstant):
        return Unknown()


def _collection(kind: str) -> Callable[["Machine", Arguments], Value]:
    def make(machine: "Machine", given: Arguments) -> Value:
        items = iteration.collect(machine, given.positional[0]) if given.positional else ()
        if given.open_positional:
            items = None
        item = iteration.element(given.positional[0]) if items is None and given.positional else Unknown()
        if not isinstance(item, Unknown):
            return Repeated(item)
        if kind == "tuple":
            return Unknown() if items is None else Tuple(items)
        made = machine.sequence(items or (), kind)
        if items is None:
            machine.heap.write(made, "open", True)
        return made

    return make


def _dict(machine: "Machine", given: Arguments) -> Value:
    made = machine.dictionary({})
    for source in given.positional[:1]:
        subscripts.update(machine, made, source)
    if given.open_keywords or given.open_positional:
        subscripts.spoil(machine, made)
    subscripts.update(machine, made, machine.names(given.keywords))
    if given.origin is not None:
        machine.heap.write(made, "origin", given.origin)
    return made


def _len(machine: "Machine", given: Arguments) -> Value:
    value = given.get("", 0)
    if isinstance(value, Tuple):
        return Constant(len(value.items))
    if isinstance(value, Sequence) and not value.state.get("open"):
        return Constant(len(value.items))
    if isinstance(value, Dictionary) and not value.open:
        return Constant(len(value.entries))
    if isinstance(value, Instance):
        return machine.call(machine.get(value, "__len__"), Arguments())
    return pure(machine, len, given)


def _range(machine: "Machine", given: Arguments) -> Value:
    return pure(machine, range, given)


def _next(machine: "Machine", given: Arguments) -> Value:
    value = given.get("", 0)
    if isinstance(value, Stream):
        item = machine.advance(value)
        return item if item is not None else given.get("", 1) or Unknown()
    if isinstance(value, Instance):
        return machine.call(machine.get(value, "__next__"), Arguments())
    return Unknown()


def _sorted(machine: "Machine", given: Arguments) -> Value:
    items = iteration.collect(machine, given.positional[0]) if given.positional else None
    key = given.keywords.get("key")
    backwards = given.keywords.get("reverse", Constant(False))
    if items is None or not isinstance(backwards, Constant):
        return Unknown()
    keys = [item if key is None else machine.call(key, Arguments([item])) for item in items]
    try:
        order = sorted(
            range(len(items)),
            key=[constants.to_python(k) for k in keys].__getitem__,
            reverse=bool(backwards.value),
        )
    except (*operators.FOLDING_ERRORS, NotConstant):
        return Unknown()
    return machine.sequence(tuple(items[index] for index in order))


def _extreme(name: str) -> Callable[["Machine", Arguments], Value]:
    def extreme(machine: "Machine", given: Arguments) -> Value:
        if "key" not in given.keywords:
            return pure(machine, _PURE[name], given)
        ordered = _sorted(machine, Arguments(given.positional[:1], {"key": given.keywords["key"]}))
        if isinstance(ordered, Sequence) and ordered.items:
            return ordered.items[0 if name == "min" else -1]
        return Unknown()

    return extreme


def _quantifier(decisive: bool) -> Callable[["Machine", Arguments], Value]:
    def quantifier(machine: "Machine", given: Arguments) -> Value:
        source = machine.iterate(given.positional[0]) if given.positional else None
        unknown: Unknown | None = None if source is not None else Unknown()
        for item in source or ():
            machine.tick()
            verdict = conditions.truth(machine, item)
            if isinstance(verdict, Unknown):
                unknown = verdict
            elif verdict is decisive:
                return Constant(decisive)
        return unknown or Constant(not decisive)

    return quantifier


def _bool(machine: "Machine", given: Arguments) -> Value:
    verdict = conditions.truth(machine, given.positional[0]) if given.positional else False
    return verdict if isinstance(verdict, Unknown) else Constant(verdict)


def _pow(machine: "Machine", given: Arguments) -> Value:
    if len(given.positional) != 2:
        return Unknown()
    return operators.binary(machine, ast.Pow, given.positional[0], given.positional[1])


def _sum(machine: "Machine", given: Arguments) -> Value:
    items = iteration.collect(machine, given.positional[0]) if given.positional else None
    if items is None:
        return Unknown()
    total = given.get("start", 1) or Constant(0)
    for item in items:
        total = operators.binary(machine, ast.Add, total, item)
    return total


def _exit(machine: "Machine", given: Arguments) -> Value:
    raise ExitSignal


def _import(machine: "Machine", given: Arguments) -> Value:
    name = given.get("name", 0)
    known = isinstance(name, Constant) and isinstance(name.value, str) and name.value
    return machine.symbol(str(known).partition(".")[0]) if known else Unknown()


def _decorator(kind: str) -> Callable[["Machine", Arguments], Value]:
    def wrap(machine: "Machine", given: Arguments) -> Value:
        if not given.positional:
            return Unknown()
        return Wrapper(kind, given.positional[0], given.get("fset", 1))

    return wrap


_HANDLERS: dict[str, Callable[["Machine", Arguments], Value]] = {
    **reflection.HANDLERS,
    "list": _collection("list"), "tuple": _collection("tuple"), "set": _collection("set"),
    "frozenset": _collection("set"), "dict": _dict, "len": _len, "range": _range,
    **iterators.HANDLERS, "next": _next,
    "sorted": _sorted, "min": _extreme("min"), "max": _extreme("max"),
    "any": _quantifier(True), "all": _quantifier(False), "bool": _bool,
    "pow": _pow, "sum": _sum, "exit": _exit, "quit": _exit, "__import__": _import,
    "property": _decorator("property"), "staticmethod": _decorator("staticmethod"),
    "classmethod": _decorator("classmethod"),
    "globals": lambda machine, given: Namespace(machine.module),
    "object": lambda machine, given: Instance(Symbol("builtins.object")),
    "print": lambda machine, given: Constant(None),
}  # fmt: skip
